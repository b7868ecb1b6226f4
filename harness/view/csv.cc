// The comparison for other programs: one row a statistic, numbers as measured (RFC 4180).
#include <fmt/format.h>

#include "harness/view/comparison.h"

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

}  // namespace

std::string comparison_csv(const record::Results& results) {
  std::string out =
      "workload,variant,pass,metric,allocator,count,failed,failure,median,low,high,"
      "baseline,ratio,ratio_low,ratio_high,verdict\r\n";
  for (const record::Statistic& one : record::statistics_of(results)) {
    std::optional<stats::Summary> ratio;
    if (one.ratio) ratio = one.ratio->summary;
    out += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", field(one.workload), field(one.variant),
                       one.pass, one.metric, field(one.allocator), one.summary ? one.summary->count : 0,
                       one.failed, field(one.failure), interval_fields(one.summary),
                       one.ratio ? field(one.ratio->baseline) : "", interval_fields(ratio),
                       one.ratio ? record::verdict_name(one.ratio->verdict) : "");
  }
  return out;
}

}  // namespace heapmark::view
