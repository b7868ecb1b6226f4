// Replays of synthetic traces by the real host: the same operations and live bytes on every allocator,
// threads that come and go and free each other's objects, bounded memory, and files that are not what they
// should be.
#include <sys/eventfd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "harness/cli/known.h"
#include "harness/plan/plan.h"
#include "harness/plan/traces.h"
#include "harness/trial/child.h"
#include "harness/trial/process_executor.h"
#include "harness/trial/session.h"
#include "harness/trial/tests/synthetic_trace.h"
#include "testing/folder.h"
#include "testing/selected.h"

using namespace heapmark;
using namespace heapmark::trial;
using Catch::Contains;
using heapmark::testing::Folder;
using heapmark::testing::SyntheticTrace;
using heapmark::testing::write_synthetic_trace;

namespace {

const std::string kBuild = std::getenv("HEAPMARK_BUILD_DIR");
const std::string kHost = kBuild + "/heapmark-host";

// One round of the trace on these allocators, as `heapmark run` would plan it.
std::vector<TrialSpec> trials(const std::string& allocators, const std::string& file, const std::string& pass,
                              const Pairs& sets = {}) {
  plan::Request request;
  request.workloads = {"trace:" + file};
  request.passes = {pass};
  request.rounds = plan::one_round_each();
  request.sets = sets;
  return plan::make_plan(
      request, testing::select(allocators),
      plan::with_traces(cli::ask_workloads(kHost), request.workloads, cli::MachineTraces()));
}

// On one allocator, whatever is in the file.
TrialSpec any_file(const std::string& file, const std::string& pass = "memory") {
  const plan::Selection glibc = testing::select("glibc").front();
  TrialSpec spec;
  spec.allocator = glibc.label;
  spec.preload = glibc.preload;
  spec.library = glibc.library;
  spec.workload = "replay";
  spec.parameters = {{"file", file}};
  spec.pass = pass;
  return spec;
}

TrialResult run(TrialSpec spec) {
  spec.lockstep = false;
  return ProcessExecutor(kHost).run(spec);
}

SyntheticTrace many_threads() {
  SyntheticTrace trace;
  trace.threads_at_once = 12;
  trace.thread_lives = 300;
  trace.remote_share = 0.6;
  return trace;
}

// Events that ask the allocator for something.
std::uint64_t operations_of(const trace::Header& header) {
  const std::uint64_t starts_and_ends = 2 * (header.threads - 1) - (header.max_live_threads - 1);
  return header.events - starts_and_ends;
}

}  // namespace

TEST_CASE("every allocator does all operations of a trace, and its checks are clean") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  for (const SyntheticTrace& wanted : {SyntheticTrace{}, many_threads()}) {
    const trace::Header header = write_synthetic_trace(file, wanted);
    for (TrialSpec spec : trials("all", file, "memory")) {
      spec.check = true;
      const TrialResult result = run(spec);
      CAPTURE(spec.allocator, result.message, header.threads);
      REQUIRE(result.outcome == trial::Outcome::kOk);
      CHECK(result.operations == operations_of(header));
    }
  }
}

TEST_CASE("a replay of blocks that others write to and give up does no harm, whoever comes first") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  SyntheticTrace wanted = many_threads();
  wanted.tells_written = true;
  wanted.largest_bytes = 600'000;
  wanted.most_live = 200;
  wanted.segment_events = 64;
  CHECK(write_synthetic_trace(file, wanted).version == 2);
  for (const Pairs& sets : {Pairs{}, Pairs{{"from", "0.5"}}, Pairs{{"touch", "all"}}, Pairs{{"repeat", "2"}}})
    for (const char* pass : {"memory", "speed"})
      for (const bool check : {false, true})
        for (TrialSpec spec : trials("glibc,brkmmap", file, pass, sets)) {
          spec.check = check;
          const TrialResult result = run(spec);
          CAPTURE(spec.allocator, result.message, pass, check);
          REQUIRE(result.outcome == trial::Outcome::kOk);
        }
}

// Blocks of 40 MB, of which little is written to, and 3000 small ones.
void write_sparse_trace(const std::string& file) {
  trace::WriterOptions options;
  options.segment_events = 100;
  trace::TraceWriter writer(file, options);
  std::uint64_t now = 0;
  const auto small_ones = [&] {
    for (int at = 0; at < 500; ++at) {
      const trace::LiveObject small = writer.request(0, ++now * 1000, trace::Op::kMalloc, 100);
      writer.free(0, ++now * 1000, small);
    }
  };
  constexpr std::uint64_t kBytes = 40'000'000;
  // At its end it has 1000 pages, 4 MB.
  trace::LiveObject growing = writer.request(0, ++now * 1000, trace::Op::kMalloc, kBytes, 0, 10);
  writer.request(0, ++now * 1000, trace::Op::kCalloc, kBytes, 0, 0);
  trace::LiveObject resized = writer.request(0, ++now * 1000, trace::Op::kMalloc, kBytes, 0, 200);
  small_ones();
  writer.write(0, ++now * 1000, growing, 500);
  // To 8 MB.
  resized = writer.resize(0, ++now * 1000, resized, 2 * kBytes, true, 2000);
  small_ones();
  writer.write(0, ++now * 1000, growing, 1000);
  small_ones();
  writer.finish(trace::End::kExit, {});
}

TEST_CASE("only what the program wrote to of its blocks is resident") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  write_sparse_trace(file);
  constexpr double kWritten = 3000 * 4096.0;
  const auto at_end = [&](const Pairs& sets) {
    const TrialResult result = run(trials("glibc", file, "memory", sets).front());
    REQUIRE(result.outcome == trial::Outcome::kOk);
    CHECK(result.metrics.at("least_rss_bytes") == kWritten + 4096);  // and a small one
    return result.metrics.at("rss_at_end_bytes");
  };
  // The C library's own pages, stacks and the small blocks are far less than 2 MB.
  CHECK(at_end({}) >= kWritten);
  CHECK(at_end({}) <= kWritten + 2e6);
  CHECK(at_end({{"from", "0.6"}}) >= kWritten);
  CHECK(at_end({{"from", "0.6"}}) <= kWritten + 2e6);
  CHECK(at_end({{"touch", "none"}}) <= 2e6);
  CHECK(at_end({{"touch", "all"}}) >= 160e6);
  // Along the way there was less: 2.1 MB of both in the first third.
  const TrialResult part = run(trials("glibc", file, "memory", {{"to", "0.3"}}).front());
  REQUIRE(part.outcome == trial::Outcome::kOk);
  CHECK(part.metrics.at("rss_at_end_bytes") >= 210 * 4096);
  CHECK(part.metrics.at("rss_at_end_bytes") <= 210 * 4096 + 2e6);
}

TEST_CASE("live bytes along a replay are those of the index, and resident memory is above them") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  SyntheticTrace wanted = many_threads();
  wanted.largest_bytes = 200'000;
  const trace::Header header = write_synthetic_trace(file, wanted);
  const TrialResult result = run(trials("glibc", file, "memory").front());
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const auto& rows = result.tables.at("recorded").rows;
  REQUIRE(!rows.empty());
  CHECK(rows.back().at(0) == static_cast<double>(header.duration_ticks * header.tick_ns));
  CHECK(rows.back().at(1) == static_cast<double>(header.end_live_bytes));
  CHECK(result.metrics.at("rss_at_end_bytes") >= static_cast<double>(header.end_live_bytes));
  CHECK(result.metrics.at("least_rss_bytes") >= static_cast<double>(header.max_live_bytes));
  CHECK(result.metrics.at("rss_peak_bytes") >= result.metrics.at("rss_at_end_bytes"));
}

TEST_CASE("a replay takes part in the passes of time, the ledger and latencies") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  const trace::Header header = write_synthetic_trace(file, many_threads());
  for (const char* pass : {"speed", "ledger", "latency"}) {
    const TrialResult result = run(trials("glibc", file, pass).front());
    CAPTURE(pass, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    CHECK(result.operations == operations_of(header));
    // But for free(null), which is not timed: of what realloc to no bytes gave.
    if (std::string(pass) == "latency")
      CHECK(result.metrics.at("timed_calls") + result.metrics.at("preempted_calls") >=
            0.99 * static_cast<double>(result.operations));
  }
  // Nothing but the allocator's: a preloaded malloc that never returns memory does not purge or release.
  const TrialResult ours = run(trials("floor", file, "ledger").front());
  REQUIRE(ours.outcome == trial::Outcome::kOk);
  CHECK(ours.metrics.at("purges") == 0);
  CHECK(ours.metrics.at("releases") == 0);
}

TEST_CASE("a part begins with what is live there, and a repeat does all again") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  write_synthetic_trace(file, many_threads());
  std::uint64_t sum = 0;
  for (const Pairs& part :
       {Pairs{{"to", "0.25"}}, Pairs{{"from", "0.25"}, {"to", "0.7"}}, Pairs{{"from", "0.7"}}}) {
    TrialSpec spec = trials("glibc", file, "memory", part).front();
    spec.check = true;
    const TrialResult result = run(spec);
    CAPTURE(result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    sum += result.operations;
  }
  const std::uint64_t whole = run(trials("glibc", file, "speed").front()).operations;
  CHECK(sum == whole);
  CHECK(run(trials("glibc", file, "speed", {{"repeat", "3"}}).front()).operations == 3 * whole);
  CHECK(run(trials("glibc", file, "memory", {{"touch", "all"}}).front()).operations == whole);
  CHECK(run(trials("glibc", file, "memory", {{"touch", "none"}}).front()).operations == whole);
  const TrialResult nothing = run(trials("glibc", file, "speed", {{"from", "0.5"}, {"to", "0.5"}}).front());
  CHECK(nothing.outcome == trial::Outcome::kRefused);
}

// In each segment twenty threads ask for a block, and one of them starts another, which does so too and ends.
// Where memory is looked at, a segment is a batch.
void write_short_lives(const std::string& file) {
  constexpr std::uint32_t kOthers = 20, kLives = 400;
  trace::WriterOptions options;
  options.segment_events = kOthers + 4;
  trace::TraceWriter writer(file, options);
  std::uint64_t now = 0;
  for (std::uint32_t thread = 1; thread <= kOthers; ++thread) writer.spawn(0, ++now, thread);
  for (std::uint32_t life = 0; life < kLives; ++life) {
    for (std::uint32_t thread = 1; thread <= kOthers; ++thread)
      writer.request(thread, ++now, trace::Op::kMalloc, 16);
    const std::uint32_t started = kOthers + 1 + life;
    writer.spawn(1, ++now, started);
    writer.request(started, ++now, trace::Op::kMalloc, 16);
    writer.end(started, ++now);
  }
  writer.finish(trace::End::kExit, {});
}

TEST_CASE("a thread that starts before its batch is handed out does its share, once") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  write_short_lives(file);
  for (const char* pass : {"memory", "speed"}) {
    TrialSpec spec = trials("glibc", file, pass, {{"repeat", "5"}}).front();
    spec.timeout = std::chrono::seconds(30);
    const TrialResult result = run(spec);
    CAPTURE(result.message, pass);
    CHECK(result.outcome == trial::Outcome::kOk);
  }
}

TEST_CASE("at the recorded pace a replay takes the recorded time") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  SyntheticTrace wanted;
  wanted.events = 1000;
  wanted.threads_at_once = 3;
  wanted.gap_ns = 500'000;
  const trace::Header header = write_synthetic_trace(file, wanted);
  const TrialResult result = run(trials("glibc", file, "speed", {{"pace", "recorded"}}).front());
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const double elapsed = result.metrics.at("ns_per_op") * static_cast<double>(result.operations);
  CHECK(elapsed >= static_cast<double>(header.duration_ticks * header.tick_ns) * 0.9);
}

TEST_CASE("a replay that cannot keep the recorded pace looks at memory in recorded time all the same") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  SyntheticTrace wanted;
  wanted.events = 400'000;
  wanted.threads_at_once = 4;
  wanted.segment_events = 20'000;
  wanted.gap_ns = 1;
  const trace::Header header = write_synthetic_trace(file, wanted);
  const TrialResult result = run(trials("glibc", file, "memory", {{"pace", "recorded"}}).front());
  CAPTURE(result.message);
  REQUIRE(result.outcome == trial::Outcome::kOk);
  const auto& rows = result.tables.at("recorded").rows;
  REQUIRE(rows.size() > header.segments);  // some while a batch was being done
  for (std::size_t at = 1; at < rows.size(); ++at) CHECK(rows[at - 1].at(0) <= rows[at].at(0));
  CHECK(rows.back().at(0) == static_cast<double>(header.duration_ticks * header.tick_ns));
}

TEST_CASE("two allocators replay a trace in lockstep, in the same slices") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  SyntheticTrace wanted = many_threads();
  wanted.events = 600'000;
  write_synthetic_trace(file, wanted);
  const std::vector<TrialSpec> specs = trials("glibc,brkmmap", file, "speed");
  const Descriptor never(::eventfd(0, EFD_CLOEXEC));
  const std::vector<TrialResult> results = run_session(kHost, specs, never.get());
  REQUIRE(results.size() == 2);
  for (const TrialResult& result : results) {
    CAPTURE(result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
  }
  const auto &first = results[0].tables.at("slices").rows, &second = results[1].tables.at("slices").rows;
  REQUIRE(first.size() == second.size());
  CHECK(first.size() > 1);
  for (std::size_t at = 0; at < first.size(); ++at) {
    CHECK(first[at].at(0) == second[at].at(0));
    CHECK(first[at].at(1) == second[at].at(1));
  }
}

TEST_CASE("the memory of a replay does not grow with the length of its trace") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  std::set<std::uint64_t> observer;
  for (const std::uint64_t events : {400'000U, 3'000'000U}) {
    SyntheticTrace wanted;
    wanted.events = events;
    wanted.threads_at_once = 40;
    wanted.segment_events = 8192;
    const trace::Header header = write_synthetic_trace(file, wanted);
    const TrialResult result = run(trials("glibc", file, "memory").front());
    CAPTURE(result.message, events);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    // The index takes 64 bytes a segment.
    observer.insert(result.observer_bytes - header.segments * 64);
  }
  CHECK(*observer.rbegin() - *observer.begin() < 64 * 1024);
}

TEST_CASE("until the first recorded event a replay never calls malloc") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace"), counts = folder.file("counts");
  write_synthetic_trace(file, many_threads());
  for (const char* pass : {"speed", "memory", "latency"}) {
    std::ofstream(counts, std::ios::trunc) << std::string(4096, '\0');
    TrialSpec spec = any_file(file, pass);
    spec.preload = spec.library = kBuild + "/libheapmark-counter.so";
    spec.environment = {{"HEAPMARK_COUNTER_FILE", counts}};
    const TrialResult result = run(spec);
    CAPTURE(pass, result.message);
    REQUIRE(result.outcome == trial::Outcome::kOk);
    std::ifstream seen(counts, std::ios::binary);
    std::uint64_t before = 1, after = 0;
    seen.read(reinterpret_cast<char*>(&before), sizeof before);
    seen.read(reinterpret_cast<char*>(&after), sizeof after);
    CHECK(before == 0);
    CHECK(after > 0);
  }
}

TEST_CASE("a damaged file gives a message and no number") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  write_synthetic_trace(file, many_threads());
  const std::string whole = testing::contents(file);
  const auto refused = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    const TrialResult result = run(any_file(file));
    INFO(result.message);
    CHECK(result.outcome == trial::Outcome::kRefused);
    CHECK(result.metrics.empty());
    return result.message;
  };
  CHECK_THAT(refused(whole.substr(0, whole.size() / 2)), Contains("truncated"));
  CHECK_THAT(refused("not a trace, whatever its name says"), Contains("no heapmark trace"));
  CHECK_THAT(refused(""), Contains("empty"));
  std::string changed = whole;
  changed[whole.size() / 3] = static_cast<char>(changed[whole.size() / 3] ^ 1);
  CHECK_THAT(refused(changed), Contains("damaged"));
  CHECK(run(any_file(folder.file("none"))).outcome == trial::Outcome::kRefused);
}

TEST_CASE("a replay refuses another trace than the one that was planned") {
  const Folder folder;
  const std::string file = folder.file("t.hmtrace");
  write_synthetic_trace(file, {});
  const TrialSpec spec = trials("glibc", file, "speed").front();
  SyntheticTrace other;
  other.seed = 2;
  write_synthetic_trace(file, other);
  CHECK_THAT(run(spec).message, Contains("another one"));
}
