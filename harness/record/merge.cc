// See merge.h.
#include "harness/record/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/plan/traces.h"
#include "harness/plan/usage_error.h"
#include "harness/record/record_json.h"

namespace heapmark::record {
namespace {

// What was asked for, but for the shard.
std::string plan_of(const Results& results) {
  Asked asked = results.asked;
  asked.request.shard = {};
  return to_json(asked).dump();
}

bool same_plan(const std::vector<Part>& parts) {
  return std::all_of(parts.begin(), parts.end(), [&](const Part& part) {
    return plan_of(part.results) == plan_of(parts.front().results);
  });
}

void require_same_versions(const Part& one, const Part& other) {
  if (one.results.heapmark_version != other.results.heapmark_version)
    throw UsageError(fmt::format("{} was measured by heapmark {}, {} by {}: they cannot be merged", one.name,
                                 one.results.heapmark_version, other.name, other.results.heapmark_version));
  for (const AllocatorFound& a : one.results.allocators)
    for (const AllocatorFound& b : other.results.allocators)
      if (a.name == b.name && a.build_id != b.build_id)
        throw UsageError(fmt::format("{} was measured with {} {}, {} with {}: they cannot be merged",
                                     one.name, a.library, a.version, other.name, b.version));
}

void add_allocators(Results& all, const Results& part) {
  for (const AllocatorFound& one : part.allocators)
    if (std::none_of(all.allocators.begin(), all.allocators.end(),
                     [&](const AllocatorFound& known) { return known.label == one.label; })) {
      all.allocators.push_back(one);
      all.asked.allocators += "," + one.label;
    }
}

std::vector<std::string> shards_missing(const std::vector<Part>& parts) {
  std::set<unsigned> there;
  unsigned count = 1;
  for (const Part& part : parts) {
    const plan::Shard& shard = part.results.asked.request.shard;
    count = std::max(count, shard.count);
    if (shard.count > 1) there.insert(shard.index);
  }
  std::vector<std::string> missing;
  for (unsigned index = 1; count > 1 && index <= count; ++index)
    if (!there.contains(index)) missing.push_back(fmt::format("shard {}/{}", index, count));
  return missing;
}

// A workload variant that replays a trace must have replayed the same one everywhere.
void require_same_trace(const trial::TrialSpec& spec, std::map<std::string, std::string>& traces) {
  const std::string name = spec.workload + "/" + spec.variant, trace = plan::trace_of(spec.parameters);
  if (traces.try_emplace(name, trace).first->second != trace)
    throw UsageError(fmt::format("{} is not the same trace in all files: they cannot be merged", name));
}

json host_of(const Part& part) {
  json host = part.results.context;
  if (host.is_object()) host.erase("command");
  return host;
}

}  // namespace

Results merge(std::vector<Part> parts, bool without_tables, std::vector<std::string>& missing) {
  if (parts.empty()) throw UsageError("nothing to merge");
  for (const Part& part : parts) require_same_versions(parts.front(), part);
  const bool shards = same_plan(parts);
  if (shards) missing = shards_missing(parts);

  Results all = parts.front().results;
  all.records.clear();
  all.asked.request.shard = {};
  if (all.context.is_object()) all.context["merged"] = json::array();
  std::map<std::tuple<std::string, std::string, std::string, std::string, std::string, unsigned>, std::string>
      from;
  std::map<std::string, std::string> traces;
  for (Part& part : parts) {
    add_allocators(all, part.results);
    for (const auto& [workload, metrics] : part.results.metrics) all.metrics.emplace(workload, metrics);
    const json before =
        part.results.context.is_object() ? part.results.context.value("merged", json()) : json();
    if (all.context.is_object()) {
      const json hosts = before.is_array() ? before : json::array({host_of(part)});
      for (const json& host : hosts) {
        const auto same = [&](const json& known) {
          return known.value("host_name", "") == host.value("host_name", "");
        };
        if (std::none_of(all.context["merged"].begin(), all.context["merged"].end(), same))
          all.context["merged"].push_back(host);
      }
    }
    for (Record& record : part.results.records) {
      const trial::TrialSpec& spec = record.spec;
      require_same_trace(spec, traces);
      const auto [at, fresh] = from.try_emplace(
          {shards ? "" : record.host, spec.allocator, spec.workload, spec.variant, spec.pass, spec.round},
          part.name);
      if (!fresh)
        throw UsageError(fmt::format(
            "{}/{}, {} pass, round {} of {} is in {} and in {}: number the rounds apart "
            "(--first-round) or leave one out",
            spec.workload, spec.variant, spec.pass, spec.round, spec.allocator, at->second, part.name));
      if (without_tables) record.result.tables.clear();
      all.records.push_back(std::move(record));
    }
  }
  if (shards) {
    std::stable_sort(all.records.begin(), all.records.end(),
                     [](const Record& a, const Record& b) { return a.spec.id < b.spec.id; });
  } else {
    std::uint64_t id = 0;
    for (Record& record : all.records) record.spec.id = id++;
  }
  return all;
}

}  // namespace heapmark::record
