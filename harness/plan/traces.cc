// See traces.h.
#include "harness/plan/traces.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/usage_error.h"

namespace heapmark::plan {
namespace {

constexpr std::string_view kSuffix = ".hmtrace";
constexpr const char* kChecksum = "checksum";

// Of a replay that takes 10 microseconds an event, which none does that is not stuck.
constexpr std::uint64_t kEventsPerSecond = 100'000;
constexpr std::chrono::seconds kLeastTimeout{120};

// The replay's own tables: a slot and two places of its hash table for each object.
constexpr std::uint64_t kOwnBytesPerObject = 80;

// What cannot stand in a table or a file of results becomes '_'.
std::string name_of(const std::string& file) {
  std::string name = file.substr(file.rfind('/') + 1);
  if (name.ends_with(kSuffix) && name.size() > kSuffix.size()) name.resize(name.size() - kSuffix.size());
  for (char& c : name)
    if (std::string_view(",\"\n\r\t @#=").find(c) != std::string_view::npos) c = '_';
  return name;
}

WorkloadVariant variant_of(const std::string& word, const TraceFacts& trace, const WorkloadVariant& pattern) {
  WorkloadVariant variant = pattern;
  variant.name = name_of(trace.file);
  variant.word = word;
  variant.fixed = {{"file", trace.file},
                   {kChecksum, trace.checksum},
                   {"recorded_events", std::to_string(trace.events)},
                   {"recorded_threads", std::to_string(trace.threads)}};
  variant.live_bytes = trace.max_live_bytes;
  variant.own_bytes = trace.max_live_objects * kOwnBytesPerObject;
  variant.timeout = kLeastTimeout + std::chrono::seconds(trace.events / kEventsPerSecond);
  variant.duration = trace.duration;
  return variant;
}

}  // namespace

bool names_trace(std::string_view word) {
  return word.starts_with(kTracePrefix);
}

std::vector<WorkloadInfo> with_traces(std::vector<WorkloadInfo> workloads,
                                      const std::vector<std::string>& asked, const Traces& traces) {
  const auto replay = std::find_if(workloads.begin(), workloads.end(),
                                   [](const WorkloadInfo& one) { return one.group == kTraceGroup; });
  if (replay == workloads.end()) return workloads;
  const WorkloadVariant pattern = replay->variants.at(0);
  replay->variants.clear();
  for (const std::string& word : asked) {
    if (!names_trace(word)) continue;
    const std::string path = word.substr(kTracePrefix.size());
    if (path.empty()) throw UsageError("-w trace: a file is missing: -w trace:app.hmtrace");
    const WorkloadVariant variant = variant_of(word, traces.read(path), pattern);
    const auto same = std::find_if(replay->variants.begin(), replay->variants.end(),
                                   [&](const WorkloadVariant& one) { return one.name == variant.name; });
    if (same == replay->variants.end())
      replay->variants.push_back(variant);
    else if (same->fixed != variant.fixed)
      throw UsageError(fmt::format("{} and {} are two traces of one name: rename one of the files",
                                   same->word.substr(kTracePrefix.size()), path));
  }
  return workloads;
}

std::string trace_of(const trial::Pairs& parameters) {
  for (const auto& [name, value] : parameters)
    if (name == kChecksum) return value;
  return "";
}

}  // namespace heapmark::plan
