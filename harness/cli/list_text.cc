#include "harness/cli/list_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>

#include "harness/plan/rounds.h"
#include "harness/plan/written_value.h"

namespace heapmark::cli {
namespace {

using plan::Metric;
using plan::Selection;
using plan::Tunable;
using plan::WorkloadInfo;
using plan::WorkloadParameter;

constexpr std::size_t kLineWidth = 110;

// `text` in lines of at most kLineWidth columns that all begin at `indent`; a longer word stands alone.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word; column += word.size()) {
    if (column > indent && column + 1 + word.size() > kLineWidth) {
      lines += fmt::format("\n{:{}}", "", indent);
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
  }
  return lines;
}

// Rows of texts, indented; each column but the last is as wide as its widest text, and the last is wrapped.
class Rows {
 public:
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line = "    ";
      for (std::size_t i = 0; i + 1 < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
      line += wrapped(row.back(), line.size());
      line.erase(line.find_last_not_of(' ') + 1);
      text += line;
      text += '\n';
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

// As it may be written on the command line: bytes as "128K" where they come out whole.
std::string number(double value, std::string_view unit) {
  constexpr std::string_view kSuffixes = "KMGT";
  std::size_t thousands = 0;
  if (unit == "bytes")
    for (; value >= 1024 && std::fmod(value, 1024) == 0 && thousands < kSuffixes.size(); ++thousands)
      value /= 1024;
  return fmt::format("{:.12g}{}", value, thousands == 0 ? "" : kSuffixes.substr(thousands - 1, 1));
}

std::string default_of(const Tunable& tunable) {
  const auto figure = plan::parse_number(tunable.default_value);
  if (tunable.unit == "bytes" && figure) return number(figure->value, tunable.unit);
  return tunable.unit.empty() ? tunable.default_value : tunable.default_value + " " + tunable.unit;
}

std::string range_of(const Tunable& tunable) {
  if (tunable.type == "boolean") return "on|off";
  if (!tunable.range) return "";
  return number(tunable.range->first, tunable.unit) + ".." + number(tunable.range->second, tunable.unit);
}

std::string allowed(const WorkloadParameter& parameter) {
  if (parameter.kind == "choice") return parameter.choices;
  if (parameter.kind == "text") return "of the trace";
  if (parameter.kind == "sizes")
    return parameter.choices + (parameter.choices.empty() ? "" : "|") + "820|16..1K|@FILE";
  return fmt::format("{} {}..{}", parameter.kind, number(parameter.min, parameter.kind),
                     number(parameter.max, parameter.kind));
}

const Metric* find_metric(const WorkloadInfo& workload, const Metric& metric) {
  const auto found = std::find_if(workload.metrics.begin(), workload.metrics.end(),
                                  [&](const Metric& other) { return other.name == metric.name; });
  return found == workload.metrics.end() ? nullptr : &*found;
}

bool in_all(const std::vector<WorkloadInfo>& workloads, const Metric& metric) {
  return std::all_of(workloads.begin(), workloads.end(), [&](const WorkloadInfo& workload) {
    const Metric* const found = find_metric(workload, metric);
    return found && found->help == metric.help;
  });
}

void add_metric(Rows& rows, const Metric& metric) {
  rows.add(
      {metric.name + (metric.headline ? " *" : ""), metric.unit,
       metric.better == "neither" ? "-" : metric.better,
       metric.passes.empty() ? "where the allocator tells" : fmt::format("{}", fmt::join(metric.passes, "|")),
       metric.help});
}

}  // namespace

std::string allocators_text(const std::vector<Selection>& selections) {
  std::string text = "Allocators (-a NAME, NAME[tunable=value,...], NAME=/path/lib.so)\n";
  for (const Selection& selection : selections) {
    const plan::Allocator& allocator = selection.allocator;
    text += fmt::format("\n  {}: {}\n", allocator.name, allocator.summary);
    if (!allocator.not_for_use.empty())
      text += fmt::format("    NO ALLOCATOR TO USE: {}\n", allocator.not_for_use);
    if (!selection.skipped.empty())
      text += fmt::format("    {}\n", selection.skipped);
    else
      text += fmt::format("    {}{}\n", selection.library,
                          selection.version.empty() ? "" : " (" + selection.version + ")");
    Rows rows;
    for (const Tunable& tunable : allocator.tunables)
      rows.add({tunable.name, "default " + default_of(tunable), range_of(tunable), tunable.help});
    text += rows.text();
  }
  return text;
}

std::string passes_text() {
  std::string text = "Passes (--pass NAME; rounds by -r)\n\n";
  Rows rows;
  for (const PassInfo& pass : kPassTable)
    rows.add({pass.name, fmt::format("{} rounds (quick {})", pass.rounds, pass.quick_rounds),
              fmt::format("{} By {}.", pass.question, pass.how)});
  return text + rows.text();
}

std::string workloads_text(const std::vector<WorkloadInfo>& workloads) {
  std::string text = "Workloads (-w NAME, NAME/VARIANT or GROUP, --set PARAMETER=VALUE)\n";
  for (const WorkloadInfo& workload : workloads) {
    text += fmt::format("\n  {} [{}]: {}\n", workload.name, workload.group, workload.summary);
    Rows variants;
    for (const plan::WorkloadVariant& variant : workload.variants)
      variants.add({workload.name + "/" + variant.name, fmt::format("{}", fmt::join(variant.passes, "|")),
                    variant.sets});
    text += variants.text();
    Rows parameters;
    for (const WorkloadParameter& parameter : workload.parameters)
      parameters.add(
          {parameter.name, "default " + parameter.default_value, allowed(parameter), parameter.help});
    if (!workload.parameters.empty()) text += fmt::format("\n{}", parameters.text());
  }
  return text;
}

std::string metrics_text(const std::vector<WorkloadInfo>& workloads) {
  std::string text = "Metrics (* in the main table; better: lower or higher; pass in which they are taken)\n";
  if (workloads.empty()) return text;
  Rows common;
  for (const Metric& metric : workloads.front().metrics)
    if (in_all(workloads, metric)) add_metric(common, metric);
  text += "\n  every workload\n" + common.text();
  for (const WorkloadInfo& workload : workloads) {
    Rows own;
    for (const Metric& metric : workload.metrics)
      if (!in_all(workloads, metric)) add_metric(own, metric);
    if (const std::string rows = own.text(); !rows.empty())
      text += fmt::format("\n  {}\n{}", workload.name, rows);
  }
  return text;
}

}  // namespace heapmark::cli
