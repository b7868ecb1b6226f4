// See describe.h.
#include "workloads/host/describe.h"

#include <unistd.h>

#include "workloads/host/arguments.h"
#include "workloads/host/registry.h"
#include "workloads/text.h"

namespace heapmark::host {
namespace {

Text<1024 * 1024> json;

void add_text(const char* text) {
  json.add("\"");
  for (; *text != '\0'; ++text) {
    const char one[2] = {*text, '\0'};
    if (*text == '"' || *text == '\\') json.add("\\");
    json.add(one);
  }
  json.add("\"");
}

void add_key(const char* key, const char* value, bool last = false) {
  add_text(key);
  json.add(": ");
  add_text(value);
  if (!last) json.add(", ");
}

template <typename List, typename Add>
void add_list(const char* key, const List& list, const Add& add) {
  add_text(key);
  json.add(": [");
  bool first = true;
  for (const auto& element : list) {
    if (!first) json.add(",\n  ");
    first = false;
    add(element);
  }
  json.add("]");
}

void add_passes(unsigned passes) {
  add_text("passes");
  json.add(": [");
  bool first = true;
  for (const PassInfo& pass : kPassTable) {
    if ((passes & pass.pass) == 0) continue;
    if (!first) json.add(", ");
    first = false;
    add_text(pass.name);
  }
  json.add("]");
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kCount:
      return "count";
    case Kind::kBytes:
      return "bytes";
    case Kind::kShare:
      return "share";
    case Kind::kSeconds:
      return "seconds";
    case Kind::kChoice:
      return "choice";
    case Kind::kSizes:
      return "sizes";
    case Kind::kText:
      return "text";
  }
  return "";
}

// Bounds are whole numbers or simple fractions: three decimals tell them.
void add_number(const char* key, double value) {
  add_text(key);
  json.add(": ");
  if (value < 0) json.add("-");
  const double size = value < 0 ? -value : value;
  const auto whole = static_cast<std::int64_t>(size);
  const auto thousandths = static_cast<std::int64_t>((size - static_cast<double>(whole)) * 1000 + 0.5);
  json.add(whole);
  if (thousandths > 0) json.add(thousandths < 10 ? ".00" : thousandths < 100 ? ".0" : ".").add(thousandths);
  json.add(", ");
}

void add_parameter(const Parameter& parameter) {
  json.add("{");
  add_key("name", parameter.name);
  add_key("kind", kind_name(parameter.kind));
  add_key("default", parameter.default_value);
  add_key("choices", parameter.choices);
  add_number("min", parameter.min);
  add_number("max", parameter.max);
  add_key("help", parameter.help, true);
  json.add("}");
}

void add_variant(const Variant& variant) {
  json.add("{");
  add_key("name", variant.name);
  add_passes(variant.passes);
  json.add(", ");
  add_key("sets", variant.sets);
  add_key("quick_sets", variant.quick_sets);
  add_key("ledger_sets", variant.ledger_sets);
  add_key("speed_sets", variant.speed_sets, true);
  json.add("}");
}

void add_metric(const MetricInfo& metric) {
  json.add("{");
  add_key("name", metric.name);
  add_key("unit", metric.unit);
  add_key("better", better_name(metric.better));
  add_passes(metric.passes);
  json.add(", \"headline\": ").add(metric.headline ? "true" : "false").add(", ");
  add_key("help", metric.help, true);
  json.add("}");
}

}  // namespace

bool describe(int fd) {
  json.add("{\"workloads\": [");
  for (std::size_t at = 0; at < workload_count(); ++at) {
    const Workload& workload = workload_at(at);
    json.add(at == 0 ? "\n {" : ",\n {");
    add_key("name", workload.name);
    add_key("group", group_at(at));
    add_key("summary", workload.summary);
    add_list("parameters", workload.parameters, add_parameter);
    json.add(",\n  ");
    add_list("variants", workload.variants, add_variant);
    json.add(",\n  ");
    add_list("metrics", workload.metrics, add_metric);
    json.add("}");
  }
  json.add("],\n");
  add_list("common_metrics", common_metrics(), add_metric);
  json.add("}\n");
  const char* at = json.c_str();
  for (std::size_t left = json.size(); left > 0;) {
    const ssize_t written = write(fd, at, left);
    if (written <= 0) return false;
    at += written;
    left -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace heapmark::host
