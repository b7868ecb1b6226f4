// The comparison for other programs: one row a statistic, numbers as measured (RFC 4180).
#include <fmt/format.h>

#include <algorithm>

#include "harness/view/exporter.h"

namespace heapmark::view {
namespace {

std::string field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

// Median, low, high; empty where there is none.
std::string interval_fields(const std::optional<stats::Summary>& summary) {
  if (!summary) return ",,";
  if (!summary->interval) return fmt::format("{},,", summary->median);
  return fmt::format("{},{},{}", summary->median, summary->interval->low, summary->interval->high);
}

// As written; empty where the allocator ran with its default.
std::string tunable_of(const record::Results& results, const std::string& label, const std::string& tunable) {
  for (const record::AllocatorFound& one : results.allocators)
    for (const auto& [name, value] : one.tunables)
      if (one.label == label && name == tunable) return value;
  return "";
}

std::string render(const Subject& subject) {
  const record::Results& results = subject.results;
  std::string out =
      "workload,variant,pass,metric,allocator,count,failed,failure,median,low,high,"
      "baseline,ratio,ratio_low,ratio_high,verdict,more_rounds";
  std::vector<std::string> tunables;
  for (const record::AllocatorFound& one : results.allocators)
    for (const auto& [name, value] : one.tunables)
      if (std::find(tunables.begin(), tunables.end(), name) == tunables.end()) tunables.push_back(name);
  for (const std::string& tunable : tunables) out += "," + field(tunable);
  out += "\r\n";
  for (const stats::Statistic& one : subject.analysis.statistics) {
    std::optional<stats::Summary> ratio;
    if (one.ratio) ratio = one.ratio->summary;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{}", field(one.workload), field(one.variant),
                       one.pass, one.metric, field(one.allocator), one.summary ? one.summary->count : 0,
                       one.failed, field(one.failure), interval_fields(one.summary),
                       one.ratio ? field(one.ratio->baseline) : "", interval_fields(ratio),
                       one.ratio ? stats::verdict_name(one.ratio->verdict) : "",
                       one.ratio && one.ratio->more_rounds ? std::to_string(*one.ratio->more_rounds) : "");
    for (const std::string& tunable : tunables)
      out += "," + field(tunable_of(results, one.allocator, tunable));
    out += "\r\n";
  }
  return out;
}

HEAPMARK_EXPORTER("csv", "one row a statistic, numbers as measured (RFC 4180)", render)

}  // namespace
}  // namespace heapmark::view
