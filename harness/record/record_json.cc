// See record_json.h.
#include "harness/record/record_json.h"

#include <array>
#include <limits>
#include <utility>

namespace heapmark::record {
namespace {

using trial::Outcome;

constexpr std::array<std::pair<Outcome, std::string_view>, 14> kOutcomes{{
    {Outcome::kOk, "ok"},
    {Outcome::kCrashed, "crashed"},
    {Outcome::kTimedOut, "timed out"},
    {Outcome::kWrongAllocator, "wrong allocator"},
    {Outcome::kRefused, "refused"},
    {Outcome::kOutOfMemory, "out of memory"},
    {Outcome::kCgroupLimit, "killed at the cgroup limit"},
    {Outcome::kCheckFailed, "check failed"},
    {Outcome::kError, "error"},
    {Outcome::kNotStarted, "not started"},
    {Outcome::kCommandFailed, "command failed"},
    {Outcome::kProcessLimit, "process limit"},
    {Outcome::kOutputDiffers, "output differs"},
    {Outcome::kInterrupted, "interrupted"},
}};

double number_from(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

json pairs_to_json(const trial::Pairs& pairs) {
  json out = json::object();
  for (const auto& [name, value] : pairs) out[name] = value;
  return out;
}

trial::Pairs pairs_from(const json& value) {
  trial::Pairs out;
  for (const auto& [name, text] : value.items()) out.emplace_back(name, text.get<std::string>());
  return out;
}

json table_to_json(const trial::Table& table) {
  json out{{"columns", table.columns}, {"rows", table.rows}, {"dropped_rows", table.dropped_rows}};
  if (!table.texts.empty()) out["texts"] = table.texts;
  return out;
}

json session_to_json(const trial::Lockstep& lockstep) {
  json out{{"slice_units", lockstep.slice_units}, {"slice_left_out", 0},
           {"threads", lockstep.threads},         {"cpus", lockstep.cpus},
           {"waited_ns", lockstep.waited_ns},     {"foreign_share", lockstep.foreign_share}};
  if (lockstep.nice) out["nice"] = *lockstep.nice;
  if (lockstep.slice_ratio_median > 0)
    out["slice_ratio"] = {{"median", lockstep.slice_ratio_median},
                          {"log_spread", lockstep.slice_ratio_spread}};
  return out;
}

trial::Lockstep lockstep_from(const json& record) {
  trial::Lockstep lockstep;
  record.at("slices").get_to(lockstep.slices);
  record.at("set").get_to(lockstep.set);
  const json& session = record.at("session");
  session.at("slice_units").get_to(lockstep.slice_units);
  session.at("threads").get_to(lockstep.threads);
  session.at("cpus").get_to(lockstep.cpus);
  session.at("waited_ns").get_to(lockstep.waited_ns);
  if (session.contains("nice")) lockstep.nice = session.at("nice").get<int>();
  lockstep.foreign_share = number_from(session.at("foreign_share"));
  if (session.contains("slice_ratio")) {
    session.at("slice_ratio").at("median").get_to(lockstep.slice_ratio_median);
    session.at("slice_ratio").at("log_spread").get_to(lockstep.slice_ratio_spread);
  }
  return lockstep;
}

// The limit in bytes is a metric, as it came out; conditions are missing where no process was started.
json pressure_to_json(const trial::TrialSpec& spec, const trial::TrialResult& result) {
  json out{{"limit_share", spec.limit_share}, {"finds_smallest_limit", spec.finds_smallest_limit}};
  if (!result.pressure) return out;
  out["cgroup"] = result.pressure->cgroup;
  out["swap"] = result.pressure->swap;
  if (!result.pressure->why_no_swap.empty()) out["why_no_swap"] = result.pressure->why_no_swap;
  out["stalls_of"] = result.pressure->stalls_of;
  out["swapped_of"] = result.pressure->swapped_of;
  return out;
}

void read_pressure(const json& value, trial::TrialSpec& spec, trial::TrialResult& result) {
  value.at("limit_share").get_to(spec.limit_share);
  value.at("finds_smallest_limit").get_to(spec.finds_smallest_limit);
  if (!value.contains("cgroup")) return;
  trial::PressureFacts& facts = result.pressure.emplace();
  value.at("cgroup").get_to(facts.cgroup);
  value.at("swap").get_to(facts.swap);
  facts.why_no_swap = value.value("why_no_swap", "");
  value.at("stalls_of").get_to(facts.stalls_of);
  value.at("swapped_of").get_to(facts.swapped_of);
}

trial::Table table_from(const json& value) {
  trial::Table table;
  table.columns = value.at("columns").get<std::vector<std::string>>();
  table.dropped_rows = value.at("dropped_rows").get<std::uint32_t>();
  for (const json& row : value.at("rows")) {
    auto& cells = table.rows.emplace_back();
    for (const json& cell : row) cells.push_back(number_from(cell));
  }
  if (value.contains("texts")) table.texts = value.at("texts").get<std::vector<std::string>>();
  return table;
}

json rounds_to_json(const plan::Rounds& rounds) {
  json out = json::object();
  for (const std::string& pass : plan::pass_names()) out[pass] = rounds.of(pass);
  return out;
}

json command_to_json(const trial::Command& command) {
  json out{{"words", command.words},         {"prepare", command.prepare},
           {"cwd", command.directory},       {"environment", pairs_to_json(command.environment)},
           {"input", command.input},         {"ignore_output", command.ignore_output},
           {"exit_code", command.exit_code}, {"processes", command.process_limit}};
  if (command.server) {
    const trial::Server& server = *command.server;
    out["server"] = {{"ready", server.ready},
                     {"load", server.load},
                     {"figure", server.figure},
                     {"figure_is_cost", server.figure_is_cost},
                     {"settle_ms", server.settle.count()},
                     {"ready_within_ms", server.ready_within.count()},
                     {"stop_signal", server.stop_signal}};
  }
  return out;
}

trial::Command command_from(const json& value) {
  trial::Command command;
  value.at("words").get_to(command.words);
  value.at("prepare").get_to(command.prepare);
  value.at("cwd").get_to(command.directory);
  command.environment = pairs_from(value.at("environment"));
  value.at("input").get_to(command.input);
  value.at("ignore_output").get_to(command.ignore_output);
  value.at("exit_code").get_to(command.exit_code);
  value.at("processes").get_to(command.process_limit);
  if (value.contains("server")) {
    const json& from = value.at("server");
    trial::Server& server = command.server.emplace();
    from.at("ready").get_to(server.ready);
    from.at("load").get_to(server.load);
    from.at("figure").get_to(server.figure);
    from.at("figure_is_cost").get_to(server.figure_is_cost);
    server.settle = std::chrono::milliseconds(from.at("settle_ms").get<std::int64_t>());
    server.ready_within = std::chrono::milliseconds(from.at("ready_within_ms").get<std::int64_t>());
    from.at("stop_signal").get_to(server.stop_signal);
  }
  return command;
}

// A pass that is newer than the file was not asked for: it has no rounds.
plan::Rounds rounds_from(const json& value) {
  plan::Rounds rounds;
  for (const std::string& pass : plan::pass_names()) rounds.of(pass) = value.value(pass, 0U);
  return rounds;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  for (const auto& [known, name] : kOutcomes)
    if (known == outcome) return name;
  return "error";
}

std::optional<Outcome> outcome_from(std::string_view name) {
  for (const auto& [known, known_name] : kOutcomes)
    if (known_name == name) return known;
  return std::nullopt;
}

json to_json(const Record& record) {
  const auto& [spec, result, host] = record;
  json tables = json::object();
  for (const auto& [name, table] : result.tables) tables[name] = table_to_json(table);
  json out{{"id", spec.id},
           {"allocator", spec.allocator},
           {"workload", spec.workload},
           {"variant", spec.variant},
           {"parameters", pairs_to_json(spec.parameters)},
           {"pass", spec.pass},
           {"round", spec.round},
           {"seed", spec.seed},
           {"check", spec.check},
           {"preload", spec.preload},
           {"library", spec.library},
           {"environment", pairs_to_json(spec.environment)},
           {"timeout_seconds", spec.timeout.count()},
           {"host", host},
           {"outcome", outcome_name(result.outcome)},
           {"message", result.message},
           {"started", result.started},
           {"wall_seconds", result.wall_seconds},
           {"environment_padding", result.environment_padding},
           {"malloc_library", result.malloc_library},
           {"rss_source", result.rss_source},
           {"observer_bytes", result.observer_bytes},
           {"baseline_rss_bytes", result.baseline_rss_bytes},
           {"operations", result.operations},
           {"metrics", result.metrics},
           {"tables", std::move(tables)},
           {"phases", result.phases}};
  out["lockstep"] = result.lockstep.has_value();
  if (result.lockstep) {
    out["slices"] = result.lockstep->slices;
    out["set"] = result.lockstep->set;
    out["session"] = session_to_json(*result.lockstep);
  }
  if (result.output) out["output"] = {{"hash", result.output->hash}, {"bytes", result.output->bytes}};
  if (!result.notes.empty()) out["notes"] = result.notes;
  if (spec.pass == "pressure") out["pressure"] = pressure_to_json(spec, result);
  if (result.reference_factor != 1) out["reference_factor"] = result.reference_factor;
  return out;
}

Record record_from(const json& value) {
  Record record;
  auto& [spec, result, host] = record;
  host = value.value("host", "");
  value.at("id").get_to(spec.id);
  value.at("allocator").get_to(spec.allocator);
  value.at("workload").get_to(spec.workload);
  value.at("variant").get_to(spec.variant);
  spec.parameters = pairs_from(value.at("parameters"));
  value.at("pass").get_to(spec.pass);
  value.at("round").get_to(spec.round);
  value.at("seed").get_to(spec.seed);
  value.at("check").get_to(spec.check);
  value.at("preload").get_to(spec.preload);
  value.at("library").get_to(spec.library);
  spec.environment = pairs_from(value.at("environment"));
  spec.timeout = std::chrono::seconds(value.at("timeout_seconds").get<std::int64_t>());
  result.outcome = outcome_from(value.at("outcome").get<std::string>()).value_or(Outcome::kError);
  value.at("message").get_to(result.message);
  value.at("started").get_to(result.started);
  value.at("wall_seconds").get_to(result.wall_seconds);
  value.at("environment_padding").get_to(result.environment_padding);
  value.at("malloc_library").get_to(result.malloc_library);
  value.at("rss_source").get_to(result.rss_source);
  value.at("observer_bytes").get_to(result.observer_bytes);
  value.at("baseline_rss_bytes").get_to(result.baseline_rss_bytes);
  value.at("operations").get_to(result.operations);
  for (const auto& [name, number] : value.at("metrics").items()) result.metrics[name] = number_from(number);
  for (const auto& [name, table] : value.at("tables").items()) result.tables[name] = table_from(table);
  value.at("phases").get_to(result.phases);
  if (value.value("lockstep", false)) result.lockstep = lockstep_from(value);
  if (value.contains("output"))
    result.output = trial::Output{value.at("output").at("hash").get<std::string>(),
                                  value.at("output").at("bytes").get<std::uint64_t>()};
  if (value.contains("notes")) value.at("notes").get_to(result.notes);
  if (value.contains("pressure")) read_pressure(value.at("pressure"), spec, result);
  result.reference_factor = value.value("reference_factor", 1.0);
  return record;
}

json to_json(const Asked& asked) {
  const plan::Request& request = asked.request;
  json out{{"allocators", asked.allocators},
           {"workloads", request.workloads},
           {"passes", request.passes},
           {"rounds", rounds_to_json(request.rounds)},
           {"sets", pairs_to_json(request.sets)},
           {"seed", request.seed},
           {"first_round", request.first_round},
           {"shard", {request.shard.index, request.shard.count}},
           {"timeout_seconds", request.timeout.count()},
           {"quick", request.quick},
           {"check", request.check},
           {"lockstep", request.lockstep},
           {"precision", request.precision},
           {"pressure", {{"shares", request.pressure.shares}, {"smallest", request.pressure.smallest}}},
           {"swap", request.swap},
           {"baseline", asked.baseline},
           {"margin", asked.margin}};
  if (request.command) {
    out["command"] = command_to_json(*request.command);
    out["command_name"] = request.command_name;
  }
  return out;
}

Asked asked_from(const json& value) {
  Asked asked;
  value.at("allocators").get_to(asked.allocators);
  value.at("baseline").get_to(asked.baseline);
  asked.margin = value.value("margin", asked.margin);
  plan::Request& request = asked.request;
  value.at("workloads").get_to(request.workloads);
  value.at("passes").get_to(request.passes);
  request.rounds = rounds_from(value.at("rounds"));
  request.sets = pairs_from(value.at("sets"));
  value.at("seed").get_to(request.seed);
  request.timeout = std::chrono::seconds(value.value("timeout_seconds", 0L));
  request.first_round = value.value("first_round", 0U);
  if (value.contains("shard")) {
    value.at("shard").at(0).get_to(request.shard.index);
    value.at("shard").at(1).get_to(request.shard.count);
  }
  value.at("quick").get_to(request.quick);
  value.at("check").get_to(request.check);
  request.lockstep = value.value("lockstep", false);  // files from before there was lockstep
  request.precision = value.value("precision", 0.0);
  if (value.contains("command")) request.command = command_from(value.at("command"));
  request.command_name = value.value("command_name", "");
  if (value.contains("pressure")) {
    value.at("pressure").at("shares").get_to(request.pressure.shares);
    value.at("pressure").at("smallest").get_to(request.pressure.smallest);
  }
  request.swap = value.value("swap", "");
  return asked;
}

json to_json(const AllocatorFound& allocator) {
  json out{{"name", allocator.name},       {"label", allocator.label},
           {"summary", allocator.summary}, {"library", allocator.library},
           {"version", allocator.version}, {"build_id", allocator.build_id},
           {"package", allocator.package}, {"tunables", pairs_to_json(allocator.tunables)}};
  if (!allocator.defaults.empty()) out["tunable_defaults"] = pairs_to_json(allocator.defaults);
  if (!allocator.skipped.empty()) out["skipped"] = allocator.skipped;
  if (!allocator.not_for_use.empty()) out["not_for_use"] = allocator.not_for_use;
  return out;
}

AllocatorFound allocator_from(const json& value) {
  AllocatorFound allocator;
  value.at("name").get_to(allocator.name);
  value.at("label").get_to(allocator.label);
  value.at("summary").get_to(allocator.summary);
  value.at("library").get_to(allocator.library);
  value.at("version").get_to(allocator.version);
  value.at("build_id").get_to(allocator.build_id);
  value.at("package").get_to(allocator.package);
  allocator.tunables = pairs_from(value.at("tunables"));
  if (value.contains("tunable_defaults")) allocator.defaults = pairs_from(value.at("tunable_defaults"));
  allocator.skipped = value.value("skipped", "");
  allocator.not_for_use = value.value("not_for_use", "");
  return allocator;
}

json to_json(const plan::Metric& metric) {
  return {{"unit", metric.unit},
          {"better", metric.better},
          {"passes", metric.passes},
          {"headline", metric.headline},
          {"help", metric.help}};
}

plan::Metric metric_from(const std::string& name, const json& value) {
  plan::Metric metric;
  metric.name = name;
  value.at("unit").get_to(metric.unit);
  value.at("better").get_to(metric.better);
  value.at("passes").get_to(metric.passes);
  value.at("headline").get_to(metric.headline);
  value.at("help").get_to(metric.help);
  return metric;
}

}  // namespace heapmark::record
