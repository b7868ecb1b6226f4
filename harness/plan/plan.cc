#include "harness/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <sstream>

#include "harness/plan/did_you_mean.h"
#include "harness/plan/traces.h"
#include "harness/plan/usage_error.h"
#include "harness/plan/written_value.h"

namespace heapmark::plan {
namespace {

const std::vector<std::string> kDefaultGroup = {"standard"};

constexpr std::chrono::seconds kTimeout{120}, kQuickTimeout{60}, kCommandTimeout{600};

struct Chosen {
  const WorkloadInfo* workload;
  const WorkloadVariant* variant;
  bool operator==(const Chosen&) const = default;
};

template <typename Range>
std::vector<std::string> names_of(const Range& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

template <typename Range>
auto* find_row(Range& rows, std::string_view name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

bool holds(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void choose_all(const WorkloadInfo& workload, std::vector<Chosen>& chosen) {
  for (const WorkloadVariant& variant : workload.variants) chosen.push_back({&workload, &variant});
}

std::vector<std::string> names_and_groups(const std::vector<WorkloadInfo>& workloads) {
  std::vector<std::string> names = names_of(workloads);
  for (const WorkloadInfo& workload : workloads)
    if (!holds(names, workload.group)) names.push_back(workload.group);
  return names;
}

// False where `written` names no trace.
bool choose_trace(const std::string& written, const std::vector<WorkloadInfo>& workloads,
                  std::vector<Chosen>& chosen) {
  for (const WorkloadInfo& workload : workloads) {
    if (workload.group != kTraceGroup) continue;
    for (const WorkloadVariant& variant : workload.variants)
      if (variant.word == written) chosen.push_back({&workload, &variant});
    if (names_trace(written)) return true;
    if ((written == workload.name || written == kTraceGroup) && workload.variants.empty())
      throw UsageError(fmt::format("-w {}: a recorded trace is replayed by -w trace:FILE", written));
  }
  return false;
}

// "churn", "churn/small-4t", "trace:FILE", a group or "all". What is named twice is measured once.
std::vector<Chosen> choose(const Request& request, const std::vector<WorkloadInfo>& workloads) {
  std::vector<Chosen> named;
  if (request.command) {
    for (const WorkloadInfo& workload : workloads) choose_all(workload, named);
    return named;
  }
  for (const std::string& written : request.workloads.empty() ? kDefaultGroup : request.workloads) {
    const std::size_t before = named.size();
    for (const WorkloadInfo& workload : workloads)
      if (written == "all" || workload.group == written) choose_all(workload, named);
    if (named.size() > before) continue;
    if (choose_trace(written, workloads, named)) continue;
    const std::size_t slash = written.find('/');
    const std::string name = written.substr(0, slash);
    const WorkloadInfo* const workload = find_row(workloads, name);
    if (!workload) throw UsageError(unknown("workload", name, names_and_groups(workloads)));
    if (slash == std::string::npos) {
      choose_all(*workload, named);
      continue;
    }
    const std::string variant_name = written.substr(slash + 1);
    const WorkloadVariant* const variant = find_row(workload->variants, variant_name);
    if (!variant) throw UsageError(unknown("variant of " + name, variant_name, names_of(workload->variants)));
    named.push_back({workload, variant});
  }
  std::vector<Chosen> once;
  for (const Chosen& one : named)
    if (std::find(once.begin(), once.end(), one) == once.end()) once.push_back(one);
  return once;
}

std::vector<std::string> choose_passes(const Request& request) {
  const std::vector<std::string>& asked = request.passes;
  const std::vector<std::string> known = pass_names();
  for (const std::string& pass : asked)
    if (pass != "all" && !holds(known, pass)) throw UsageError(unknown("pass", pass, known));
  std::vector<std::string> passes;
  for (const std::string& pass : known)
    if (asked.empty() ? pass_info(pass).by_default : holds(asked, "all") || holds(asked, pass))
      passes.push_back(pass);
  return passes;
}

// A later value takes the place of an earlier one of the same name.
void set(trial::Pairs& pairs, const std::string& name, const std::string& value) {
  const auto same = [&](const auto& pair) { return pair.first == name; };
  if (const auto pair = std::find_if(pairs.begin(), pairs.end(), same); pair != pairs.end())
    pair->second = value;
  else
    pairs.emplace_back(name, value);
}

void set_all(trial::Pairs& pairs, const std::string& written) {
  std::istringstream in(written);
  for (std::string pair; std::getline(in, pair, ',');) {
    const std::size_t equals = pair.find('=');
    set(pairs, pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
  }
}

void check_sets(const trial::Pairs& sets, const std::vector<Chosen>& chosen) {
  std::vector<std::string> known;
  for (const Chosen& one : chosen)
    for (const std::string& name : names_of(one.workload->parameters))
      if (!holds(known, name)) known.push_back(name);
  for (const auto& [name, value] : sets) {
    if (!holds(known, name)) throw UsageError(unknown("parameter", name, known));
    for (const Chosen& one : chosen)
      if (const WorkloadParameter* const parameter = find_row(one.workload->parameters, name))
        check_value(*parameter, value);
  }
}

// The variant's, then those of --quick or of the pass, then the user's.
trial::Pairs parameters_of(const Chosen& chosen, const std::string& pass, const Request& request) {
  trial::Pairs pairs;
  set_all(pairs, chosen.variant->sets);
  if (request.quick)
    set_all(pairs, chosen.variant->quick_sets);
  else if (pass_info(pass).pass == kLedger)
    set_all(pairs, chosen.variant->ledger_sets);
  else if (pass_info(pass).pass == kSpeed)
    set_all(pairs, chosen.variant->speed_sets);
  for (const auto& [name, value] : request.sets)
    if (find_row(chosen.workload->parameters, name)) set(pairs, name, value);
  pairs.insert(pairs.end(), chosen.variant->fixed.begin(), chosen.variant->fixed.end());
  return pairs;
}

// Shares of the memory limits that a pass runs a variant at, in order; 0: none, which is all that most passes
// do.
std::vector<double> limits_of(const std::string& pass, const Request& request) {
  std::vector<double> shares{0};
  if (pass_info(pass).pass == kPressure)
    shares.insert(shares.end(), request.pressure.shares.begin(), request.pressure.shares.end());
  return shares;
}

// A parameter in bytes is what the workload holds live. Of the allocators of the catalog the most wasteful
// held 2.6 times that much (results/reference); tables of the workload's own come to it.
std::uint64_t memory_estimate(const Chosen& chosen, const trial::Pairs& parameters) {
  constexpr double kPerLiveByte = 3, kOwn = 64.0 * 1024 * 1024;
  auto live = static_cast<double>(chosen.variant->live_bytes);
  for (const WorkloadParameter& parameter : chosen.workload->parameters) {
    if (parameter.kind != "bytes") continue;
    const auto set = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& pair) { return pair.first == parameter.name; });
    if (const auto number = parse_number(set != parameters.end() ? set->second : parameter.default_value))
      live += number->value;
  }
  return static_cast<std::uint64_t>(live * kPerLiveByte + kOwn) + chosen.variant->own_bytes;
}

double number_of(const trial::Pairs& pairs, std::string_view name, double otherwise) {
  for (const auto& [key, value] : pairs)
    if (key == name)
      if (const auto number = parse_number(value)) return number->value;
  return otherwise;
}

// Long enough for any trial that is not stuck. A trace may be long, replayed often, or at its own pace.
std::chrono::seconds timeout_of(const Request& request, const WorkloadVariant& variant,
                                const trial::Pairs& parameters) {
  if (request.timeout.count() > 0) return request.timeout;
  if (request.command) return kCommandTimeout;
  if (variant.timeout.count() == 0) return request.quick ? kQuickTimeout : kTimeout;
  const bool paced = std::find(parameters.begin(), parameters.end(),
                               std::pair<std::string, std::string>("pace", "recorded")) != parameters.end();
  const auto times = static_cast<std::int64_t>(number_of(parameters, "repeat", 1));
  return variant.timeout * times + (paced ? variant.duration * times * 2 : std::chrono::seconds(0));
}

// Fisher and Yates; std::shuffle may differ from one standard library to the next, and a plan must not.
void shuffle(std::vector<const Selection*>& selections, std::mt19937_64& random) {
  for (std::size_t left = selections.size(); left > 1; --left)
    std::swap(selections[left - 1], selections[random() % left]);
}

std::vector<const Selection*> measurable(const std::vector<Selection>& selections) {
  std::vector<const Selection*> found;
  std::string reasons;
  for (const Selection& selection : selections) {
    if (selection.skipped.empty())
      found.push_back(&selection);
    else
      reasons += fmt::format("\n  {}: {}", selection.label, selection.skipped);
  }
  if (found.empty()) throw UsageError("none of the chosen allocators can be measured here:" + reasons);
  return found;
}

[[noreturn]] void refuse_empty(const std::vector<Chosen>& chosen, const std::vector<std::string>& passes) {
  std::vector<std::string> known;
  for (const Chosen& one : chosen)
    for (const std::string& pass : one.variant->passes)
      if (!holds(known, pass)) known.push_back(pass);
  throw UsageError(fmt::format("nothing to measure: {} {} the passes {}, and the run asks for {}",
                               chosen.size() == 1 ? chosen[0].workload->name : "the workloads chosen",
                               chosen.size() == 1 ? "has" : "have", fmt::join(known, ", "),
                               fmt::join(passes, ", ")));
}

}  // namespace

Shard parse_shard(std::string_view written) {
  const std::string text(written);
  Shard shard;
  int end = 0;
  if (text.find_first_not_of("0123456789/") != std::string::npos ||  // sscanf takes a sign
      std::sscanf(text.c_str(), "%u/%u%n", &shard.index, &shard.count, &end) != 2 ||
      static_cast<std::size_t>(end) != text.size() || shard.index == 0 || shard.index > shard.count)
    throw UsageError("--shard takes I/N, the I-th of N parts, as in 1/4; not '" + text + "'");
  return shard;
}

std::vector<trial::TrialSpec> make_plan(const Request& request, const std::vector<Selection>& selections,
                                        const std::vector<WorkloadInfo>& workloads) {
  const std::vector<Chosen> chosen = choose(request, workloads);
  const std::vector<std::string> passes = choose_passes(request);
  check_sets(request.sets, chosen);
  const std::vector<const Selection*> allocators = measurable(selections);

  unsigned rounds = 0;
  for (const std::string& pass : passes) rounds = std::max(rounds, request.rounds.of(pass));

  std::mt19937_64 random(request.seed + request.first_round);
  std::vector<trial::TrialSpec> plan;
  std::uint64_t id = 0, group = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (const Chosen& one : chosen) {
      for (const std::string& pass : passes) {
        if (round >= request.rounds.of(pass) || !holds(one.variant->passes, pass)) continue;
        const bool elsewhere = group++ % request.shard.count + 1 != request.shard.index;
        const bool under_pressure = pass_info(pass).pass == kPressure;
        const trial::Pairs parameters = parameters_of(one, pass, request);
        for (const double share : limits_of(pass, request)) {
          std::vector<const Selection*> order = allocators;
          shuffle(order, random);
          if (elsewhere) {
            id += order.size();
            continue;
          }
          for (const Selection* const selection : order)
            plan.push_back(
                {.id = id++,
                 .allocator = selection->label,
                 .preload = selection->preload,
                 .library = selection->library,
                 .environment = environment_of(*selection),
                 .workload = one.workload->name,
                 .variant = under_pressure ? variant_at(one.variant->name, share) : one.variant->name,
                 .parameters = parameters,
                 .pass = pass,
                 .round = request.first_round + round,
                 .seed = request.seed,
                 .check = request.check,
                 .lockstep =
                     request.lockstep && pass_info(pass).pass == kSpeed && !keeps_time_itself(*selection),
                 .memory_estimate_bytes = memory_estimate(one, parameters),
                 .timeout = timeout_of(request, *one.variant, parameters),
                 .limit_share = share,
                 .finds_smallest_limit = under_pressure && share == 0 && request.pressure.smallest,
                 .command = request.command});
        }
      }
    }
  }
  if (plan.empty() && id != 0)
    throw UsageError(
        fmt::format("the plan has {} groups of trials: shard {}/{} is empty, choose fewer shards", group,
                    request.shard.index, request.shard.count));
  if (plan.empty()) refuse_empty(chosen, passes);
  return plan;
}

}  // namespace heapmark::plan
