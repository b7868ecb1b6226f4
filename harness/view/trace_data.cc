// See trace_view.h: JSON and CSV.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/view/trace_view.h"

namespace heapmark::view {
namespace {

using json = nlohmann::ordered_json;
using trace::Log2Counts;
using trace::TraceFacts;

json histogram(const Log2Counts& counts) {
  json rows = json::array();
  for (std::size_t number = 0; number < counts.classes.size(); ++number) {
    const auto& one = counts.classes[number];
    if (one.count != 0)
      rows.push_back({{"from", Log2Counts::class_start(number)}, {"count", one.count}, {"bytes", one.bytes}});
  }
  return rows;
}

json sizes(const std::vector<trace::SizeCount>& list) {
  json rows = json::array();
  for (const trace::SizeCount& one : list)
    rows.push_back({{"size", one.size}, {"count", one.count}, {"bytes", one.bytes()}});
  return rows;
}

json as_json(const TraceFacts& facts) {
  const auto& header = facts.header;
  json text = json::object(), calls = json::object(), moments = json::array(), threads = json::array();
  for (const auto& [key, value] : facts.text) text[key] = value;
  for (std::size_t op = 1; op < facts.events_by_op.size(); ++op)
    calls[trace::op_name(static_cast<trace::Op>(op))] = facts.events_by_op[op];
  for (const trace::Moment& one : facts.moments)
    moments.push_back({{"start_ns", one.start_ns},
                       {"events", one.events},
                       {"requested_bytes", one.requested_bytes},
                       {"max_live_bytes", one.max_live_bytes},
                       {"end_live_bytes", one.end_live_bytes},
                       {"max_live_objects", one.max_live_objects},
                       {"end_live_objects", one.end_live_objects},
                       {"max_threads", one.max_threads}});
  for (const trace::ThreadFacts& one : facts.threads)
    threads.push_back({{"number", one.number},
                       {"start_ns", one.start_ns},
                       {"end_ns", one.end_ns},
                       {"ended", one.ended},
                       {"events", one.events},
                       {"requests", one.requests},
                       {"requested_bytes", one.requested_bytes},
                       {"given_up", one.frees},
                       {"given_up_of_others", one.frees_of_others}});
  json all{{"heapmark_trace", 1},
           {"file", facts.name},
           {"text", text},
           {"has_times", facts.has_times},
           {"ended", trace::end_words(static_cast<trace::End>(header.end))},
           {"start_unix_ns", header.start_unix_ns},
           {"pid", header.pid},
           {"tick_ns", header.tick_ns},
           {"duration_ns", facts.duration_ns},
           {"file_bytes", facts.file_bytes},
           {"events", header.events},
           {"calls", calls},
           {"requests", facts.requests},
           {"requested_bytes", facts.requested_bytes},
           {"zero_requests", facts.zero_requests},
           {"given_up", facts.given_up},
           {"given_up_by_others", facts.given_up_by_others},
           {"given_up_bytes_by_others", facts.given_up_bytes_by_others},
           {"peak_live_bytes", facts.peak_bytes},
           {"peak_live_objects", facts.peak_objects},
           {"peak_ns", facts.peak_ns},
           {"peak_written_bytes", facts.peak_written_bytes},
           {"least_rss_bytes", facts.least_rss_bytes},
           {"told",
            {{"requests", facts.told.requests},
             {"bytes", facts.told.bytes},
             {"written_bytes", facts.told.written_bytes}}},
           {"never_freed_bytes", header.end_live_bytes},
           {"never_freed_objects", header.end_live_objects},
           {"reallocs",
            {{"count", facts.reallocs.count},
             {"moved", facts.reallocs.moved},
             {"grew", facts.reallocs.grew},
             {"shrank", facts.reallocs.shrank},
             {"copied_bytes", facts.reallocs.copied_bytes},
             {"growth", facts.reallocs.growth > 0 ? json(facts.reallocs.growth) : json()}}},
           {"refused_requests", header.refused_requests},
           {"refused_bytes", facts.refused_bytes},
           {"repaired_inversions", header.repaired_inversions},
           {"unknown_frees", header.unknown_frees},
           {"lost_events", header.lost_events},
           {"idle",
            {{"count", facts.idle.count},
             {"total_ns", facts.idle.total_ns},
             {"longest_ns", facts.idle.longest_ns},
             {"longest_start_ns", facts.idle.longest_start_ns}}},
           {"max_threads_at_once", facts.max_threads_at_once},
           {"top_sizes_are_approximate", facts.top_is_approximate}};
  all["top_sizes_by_count"] = sizes(facts.top_by_count);
  all["top_sizes_by_bytes"] = sizes(facts.top_by_bytes);
  all["sizes"] = histogram(facts.sizes);
  all["sizes_at_peak"] = histogram(facts.sizes_at_peak);
  all["sizes_never_freed"] = histogram(facts.sizes_never_freed);
  all["lifetimes_ns"] = histogram(facts.lifetimes_ns);
  all["thread_lifetimes_ns"] = histogram(facts.thread_lifetimes_ns);
  all["alignments"] = histogram(facts.alignments);
  all["moments"] = moments;
  all["threads"] = threads;
  return all;
}

std::string field(const json& value) {
  if (value.is_null()) return "";
  if (!value.is_string()) return value.dump();
  const std::string text = value;
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string trace_json(const TraceFacts& facts) {
  // What is no UTF-8 in a recorded command line is replaced: JSON has no bytes.
  return as_json(facts).dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string trace_csv(const TraceFacts& facts, bool with_head) {
  std::string out = with_head ? "file,table,key,metric,value\r\n" : "";
  const std::string file = field(facts.name);
  const auto row = [&](const std::string& table, const std::string& key, const std::string& metric,
                       const json& value) {
    out += fmt::format("{},{},{},{},{}\r\n", file, table, key, metric, field(value));
  };
  const json all = as_json(facts);
  for (const auto& [name, value] : all.items()) {
    if (name == "file") continue;
    if (value.is_object()) {
      for (const auto& [metric, one] : value.items()) row(name, "", metric, one);
    } else if (value.is_array()) {
      // The first member of a row names it.
      for (const json& one : value) {
        const std::string key = one.begin().value().dump();
        for (auto member = std::next(one.begin()); member != one.end(); ++member)
          row(name, key, member.key(), member.value());
      }
    } else {
      row("trace", "", name, value);
    }
  }
  return out;
}

}  // namespace heapmark::view
