// See trial_run.h; tables, phases and metrics are report_writer's. Between the stages kWorkload and kFinished
// nothing here makes a system call that the ledger counts, except for questions to the kernel (brk(0)) that
// it ignores.
#include "workloads/host/trial_run.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstring>

#include "allocators/brkmmap/brkmmap.h"
#include "workloads/context.h"
#include "workloads/host/call_timer.h"
#include "workloads/host/clock.h"
#include "workloads/host/page_out.h"
#include "workloads/host/procfs.h"
#include "workloads/host/registry.h"
#include "workloads/host/report_writer.h"
#include "workloads/host/turns.h"
#include "workloads/text.h"

using OwnCounters = struct brkmmap_stats;
extern "C" [[gnu::weak]] void brkmmap_stats(OwnCounters* out);  // there only where brkmmap is preloaded

namespace heapmark {
namespace {

struct Faults {
  std::uint64_t minor, major;
};

constexpr std::size_t kMaxOwnRanges = 128;

// All of the trial's state. One process runs one trial, so there is one.
struct State {
  const host::Arguments* arguments;
  Report* report;
  int samples_table = -1;
  host::AddressRange own_ranges[kMaxOwnRanges];  // the workload's tables, as many as are remembered
  std::size_t own_range_count = 0;
  std::uint64_t baseline_time_ns, baseline_anonymous, baseline_file, baseline_virtual;
  std::int64_t baseline_break;
  Faults baseline_faults;
  bool peak_was_reset;
  std::uint64_t seen_peak_rss, seen_peak_virtual;
  std::uint64_t clock_wall, clock_cpu, pause_wall, pause_cpu;
  std::uint32_t threads = 1;
  host::Turns turns;
  bool clock_was_stopped;
};
State state;

std::uint64_t clock_ns(clockid_t clock) {
  return host::real_clock_ns(clock);
}

Faults faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return {static_cast<std::uint64_t>(usage.ru_minflt), static_cast<std::uint64_t>(usage.ru_majflt)};
}

std::uint64_t above(std::uint64_t value, std::uint64_t baseline) {
  return value > baseline ? value - baseline : 0;
}

void set_stage(Stage stage) {
  state.report->stage.store(static_cast<std::uint32_t>(stage), std::memory_order_release);
}

const host::Value& value_of(const char* name) {
  std::size_t index = 0;
  for (const Parameter& parameter : state.arguments->workload->parameters) {
    if (std::strcmp(parameter.name, name) == 0) return state.arguments->values[index];
    ++index;
  }
  host::defect_of_workload("it asks for a parameter that it does not declare:", name);
}

// The file that malloc was resolved to. ld.so only warns where a preload cannot be loaded, so this is the
// proof.
bool runs_on(const char* library, Report& report) {
  Dl_info info{};
  void* const address = reinterpret_cast<void*>(&malloc);
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return false;
  std::strncpy(report.malloc_library, info.dli_fname, sizeof report.malloc_library - 1);
  struct stat wanted {
  }, found{};
  return stat(library, &wanted) == 0 && stat(info.dli_fname, &found) == 0 && wanted.st_dev == found.st_dev &&
         wanted.st_ino == found.st_ino;
}

void take_baseline() {
  state.peak_was_reset = host::reset_peak();
  const host::Memory memory = host::read_memory();
  state.baseline_anonymous = memory.anonymous_bytes;
  state.baseline_file = memory.file_bytes;
  state.baseline_virtual = memory.virtual_bytes;
  state.baseline_break = host::program_break();
  state.baseline_faults = faults();
  state.baseline_time_ns = clock_ns(CLOCK_MONOTONIC);
  state.report->baseline_rss_bytes = memory.anonymous_bytes;
}

// VmHWM counts the pages of files too: what grew of those is taken off.
std::uint64_t peak_rss() {
  if (!state.peak_was_reset) return state.seen_peak_rss;
  const std::uint64_t file_growth = above(host::read_memory().file_bytes, state.baseline_file);
  const std::uint64_t peak =
      above(above(host::peak_bytes(), state.baseline_anonymous + state.baseline_file), file_growth);
  return peak > state.seen_peak_rss ? peak : state.seen_peak_rss;
}

void report_own_counters(Context& context, const OwnCounters& before, const OwnCounters& after) {
  const auto report = [&](const char* name, std::uint64_t from, std::uint64_t to) {
    context.metric(name, static_cast<double>(to - from));
  };
  report("own_brk_grows", before.brk_grows, after.brk_grows);
  report("own_brk_grow_bytes", before.brk_grow_bytes, after.brk_grow_bytes);
  report("own_trims", before.trims, after.trims);
  report("own_trim_bytes", before.trim_bytes, after.trim_bytes);
  report("own_purges", before.purges, after.purges);
  report("own_purge_bytes", before.purge_bytes, after.purge_bytes);
  report("own_releases", before.releases, after.releases);
  report("own_release_bytes", before.release_bytes, after.release_bytes);
  report("own_mmaps", before.mmaps, after.mmaps);
  report("own_mmap_bytes", before.mmap_bytes, after.mmap_bytes);
  report("own_mremaps", before.mremaps, after.mremaps);
}

void report_common_metrics(Context& context, const Observation& end) {
  Report& report = *state.report;
  const bool timed = context.pass() == kSpeed || context.pass() == kPressure;
  if (timed && state.clock_was_stopped && report.operations > 0) {
    const double operations = static_cast<double>(report.operations);
    context.metric("ns_per_op", static_cast<double>(report.elapsed_ns) / operations);
    context.metric("cpu_ns_per_op", static_cast<double>(report.cpu_ns) / operations);
    context.metric("ops_per_second", operations * 1e9 / static_cast<double>(report.elapsed_ns));
  }
  if (context.pass() == kMemory) {
    context.metric("rss_peak_bytes", static_cast<double>(peak_rss()));
    context.metric("rss_end_bytes", static_cast<double>(end.rss_bytes));
    context.metric("virtual_peak_bytes", static_cast<double>(state.seen_peak_virtual));
  }
  context.metric("minor_faults", static_cast<double>(end.minor_faults));
  context.metric("major_faults", static_cast<double>(end.major_faults));
}

}  // namespace

std::uint64_t Context::count(const char* name) const {
  return value_of(name).count;
}
double Context::number(const char* name) const {
  return value_of(name).number;
}
bool Context::chosen(const char* name, const char* choice) const {
  return std::strcmp(value_of(name).text, choice) == 0;
}
const char* Context::text(const char* name) const {
  return value_of(name).text;
}
std::uint64_t Context::seed() const {
  return state.arguments->seed;
}
Pass Context::pass() const {
  return state.arguments->pass;
}
bool Context::checking() const {
  return state.arguments->check;
}
bool Context::sampling() const {
  return state.samples_table >= 0;
}

void* Context::own_memory(std::size_t bytes) {
  constexpr std::size_t kPage = 4096;
  bytes = (bytes + kPage - 1) / kPage * kPage;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(Outcome::kRefused, "the machine has no memory for the workload's own tables");
  // Written, not only populated: a read-only zero page would fault again, and huge pages would blur the
  // count.
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  for (std::size_t at = 0; at < bytes; at += kPage) static_cast<volatile char*>(memory)[at] = 0;
  state.report->observer_bytes += bytes;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  if (state.own_range_count < kMaxOwnRanges)
    state.own_ranges[state.own_range_count++] = {begin, begin + bytes};
  return memory;
}

void Context::uses_threads(std::uint32_t threads) {
  state.threads = threads;
}

void Context::start_clock(std::uint64_t units) {
  if (state.turns.joined()) {
    next_cut_ = state.turns.begin(units);
    return;
  }
  state.clock_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  state.clock_wall = clock_ns(CLOCK_MONOTONIC);
}

void Context::end_slice(std::uint64_t done) {
  next_cut_ = state.turns.reached(done);
}

void Context::stop_clock(std::uint64_t done, std::uint64_t operations) {
  if (state.turns.joined()) {
    next_cut_ = ~std::uint64_t{0};
    const host::Turns::Sums sums = state.turns.end(done);
    state.report->elapsed_ns = sums.wall_ns;
    state.report->cpu_ns = sums.cpu_ns;
  } else {
    state.report->elapsed_ns = clock_ns(CLOCK_MONOTONIC) - state.clock_wall;
    state.report->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - state.clock_cpu;
  }
  state.report->operations = operations;
  state.clock_was_stopped = true;
}

void Context::pause_clock() {
  if (state.turns.joined()) {
    state.turns.pause();
  } else {
    state.pause_wall = clock_ns(CLOCK_MONOTONIC);
    state.pause_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  }
  host::stop_clocks();
}

void Context::resume_clock() {
  host::go_on_with_clocks();
  if (state.turns.joined()) {
    state.turns.resume();
  } else {
    state.clock_cpu += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - state.pause_cpu;
    state.clock_wall += clock_ns(CLOCK_MONOTONIC) - state.pause_wall;
  }
}

Observation Context::observe() {
  const host::Memory memory = host::read_memory();
  const Faults now = faults();
  const std::uint64_t rss = above(memory.anonymous_bytes, state.baseline_anonymous);
  const std::uint64_t addresses = above(memory.virtual_bytes, state.baseline_virtual);
  if (rss > state.seen_peak_rss) state.seen_peak_rss = rss;
  if (addresses > state.seen_peak_virtual) state.seen_peak_virtual = addresses;
  return {clock_ns(CLOCK_MONOTONIC) - state.baseline_time_ns,
          rss,
          addresses,
          host::program_break() - state.baseline_break,
          now.minor - state.baseline_faults.minor,
          now.major - state.baseline_faults.major};
}

double Context::page_out() {
  return host::page_out_heap(state.own_ranges, state.own_range_count);
}

Observation Context::sample(std::uint64_t operation, std::uint64_t live_bytes) {
  return add_sample(operation, static_cast<double>(live_bytes));
}
Observation Context::sample(std::uint64_t operation) {
  return add_sample(operation, kNotMeasured);
}

Observation Context::add_sample(std::uint64_t operation, double live_bytes) {
  if (state.samples_table < 0) return {};
  const Observation now = observe();
  const auto number = [](auto value) { return static_cast<double>(value); };
  add_row(state.samples_table,
          {number(operation), number(now.time_ns), live_bytes, number(now.rss_bytes),
           number(now.virtual_bytes), number(now.break_offset), number(now.minor_faults),
           number(now.major_faults), number(state.report->phase.load(std::memory_order_relaxed))});
  return now;
}

void Context::fail(Outcome outcome, const char* message) {
  state.report->outcome = static_cast<std::uint32_t>(outcome);
  std::strncpy(state.report->message, message, kTextSize - 1);
  set_stage(Stage::kDone);
  _exit(0);
}

namespace host {

void run_trial(const Arguments& arguments, Report& report) {
  constexpr std::uint32_t kSampleRows = 2048;
  state.arguments = &arguments;
  state.report = &report;
  write_into(report);
  report.magic = kReportMagic;
  report.version = kReportVersion;
  report.observer_bytes = sizeof(Report);
  Context context;
  if (!runs_on(arguments.library, report)) {
    Message message;
    context.fail(Outcome::kWrongAllocator, message.add("malloc is that of ")
                                               .add(report.malloc_library)
                                               .add(", not of ")
                                               .add(arguments.library)
                                               .c_str());
  }
  copy_name(report.rss_source, open_procfs());
  if (arguments.pass == kMemory)
    state.samples_table =
        context.open_table("samples",
                           {"operation", "time_ns", "live_bytes", "rss_bytes", "virtual_bytes",
                            "break_offset", "minor_faults", "major_faults", "phase"},
                           kSampleRows);
  if (arguments.pass == kLatency) prepare_call_timing(context);
  if (arguments.session_fd >= 0 &&
      !state.turns.join(arguments.session_fd, arguments.seat, arguments.turn_ended_fd))
    context.fail(Outcome::kUsage, "--session-fd is no lockstep session with this seat");
  arguments.workload->prepare(context);
  if (state.turns.joined()) {
    report.observer_bytes += whole_pages(sizeof(Session)) + whole_pages(sizeof(Seat));
    state.turns.pin(state.threads);
    state.turns.wait_for_first_turn();
  }
  set_stage(Stage::kPrepared);
  take_baseline();
  (void)context.observe();

  OwnCounters before{}, after{};
  if (::brkmmap_stats != nullptr) ::brkmmap_stats(&before);
  take_baseline();  // again: the first observation touched pages of the C library
  set_stage(Stage::kWorkload);
  if (arguments.pass == kLatency) start_call_timing(state.threads);
  arguments.workload->run(context);
  stop_call_timing();
  set_stage(Stage::kFinished);
  if (::brkmmap_stats != nullptr) ::brkmmap_stats(&after);

  report_common_metrics(context, context.observe());
  if (arguments.pass == kLatency) report_call_timing(context);
  if (::brkmmap_stats != nullptr) report_own_counters(context, before, after);
  report.outcome = static_cast<std::uint32_t>(Outcome::kOk);
  set_stage(Stage::kDone);
}

}  // namespace host
}  // namespace heapmark
