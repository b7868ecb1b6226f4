// See close_recording.h.
#include "harness/cli/close_recording.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "harness/cli/terminal.h"
#include "harness/view/quantity.h"
#include "harness/view/text_table.h"

namespace heapmark::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using trace::End;
using trace::RawReason;

constexpr auto kQuiet = std::chrono::seconds(2);  // what takes no longer shows no progress
constexpr std::size_t kRows = 20;                 // of processes that are told of one by one

End end_of(RawReason reason) {
  switch (reason) {
    case RawReason::kBudget:
      return End::kBudget;
    case RawReason::kDisk:
      return End::kDiskFull;
    case RawReason::kAddressSpace:
      return End::kBudget;
    case RawReason::kTime:
      return End::kTime;
    case RawReason::kSignal:
      return End::kSignal;
    case RawReason::kNone:
      break;
  }
  return End::kKilled;
}

// Of a process that no later one of its pid follows.
End why_ended(const trace::RawRecording& recording, const trace::RawProcess& process,
              const std::optional<RecordedEnd>& end) {
  if (process.exited) return End::kExit;
  const End why = end_of(recording.control().reason);
  const bool seen_to_exit = end && end->pid == process.pid && WIFEXITED(end->wait_status);
  return why == End::kKilled && seen_to_exit ? End::kExit : why;
}

// A line that is overwritten, once it takes longer than a moment.
class ClosingProgress {
 public:
  ~ClosingProgress() {
    if (shown_ && is_terminal(stderr)) (void)std::fputs("\r\033[K", stderr);
  }
  void show(std::size_t number, std::size_t count, std::uint64_t done, std::uint64_t total) {
    const auto now = Clock::now();
    if (now - start_ < kQuiet || (shown_ && now - last_ < (is_terminal(stderr) ? kOften : kSeldom))) return;
    last_ = now;
    shown_ = true;
    const std::string line = fmt::format("closing the recording: process {} of {}, {:.0f} %", number, count,
                                         100.0 * static_cast<double>(done) / static_cast<double>(total + 1));
    (void)std::fputs((is_terminal(stderr) ? "\r\033[K" + line : "heapmark: " + line + "\n").c_str(), stderr);
  }

 private:
  static constexpr auto kOften = std::chrono::milliseconds(200), kSeldom = std::chrono::milliseconds(10'000);
  Clock::time_point start_ = Clock::now(), last_ = start_;
  bool shown_ = false;
};

std::string name_of_end(End end) {
  switch (end) {
    case End::kExit:
      return "exit";
    case End::kExec:
      return "exec";
    case End::kKilled:
      return "killed";
    default:
      return "recording ended";
  }
}

std::uint64_t events_of(const ClosedTrace& row) {
  return row.closed.header.events;
}

// The program's own first, then those with most events.
view::TextTable table_of(std::vector<ClosedTrace> rows) {
  std::stable_sort(rows.begin() + 1, rows.end(),
                   [](const ClosedTrace& a, const ClosedTrace& b) { return events_of(a) > events_of(b); });
  view::TextTable table;
  table.columns = {"trace",  "pid",     "end",       "events",     "B/event",
                   "closed", "threads", "peak live", "inversions", "unknown frees"};
  for (const ClosedTrace& row : rows) {
    if (table.rows.size() == kRows) {
      table.notes.push_back(fmt::format("and {} more processes", rows.size() - kRows));
      break;
    }
    const trace::Header& header = row.closed.header;
    const auto events = static_cast<double>(std::max<std::uint64_t>(header.events, 1));
    const auto count = [](std::uint64_t value) {
      return view::Cell{view::quantity(static_cast<double>(value), "count")};
    };
    table.rows.push_back({{row.file},
                          {std::to_string(row.pid)},
                          {row.end},
                          count(header.events),
                          {fmt::format("{:.1f}", static_cast<double>(row.closed.raw_bytes) / events)},
                          {fmt::format("{:.1f}", static_cast<double>(header.file_bytes) / events)},
                          count(header.threads),
                          {view::quantity(static_cast<double>(header.max_live_bytes), "bytes")},
                          count(header.repaired_inversions),
                          count(header.unknown_frees)});
  }
  return table;
}

}  // namespace

const char* words_of(RawReason reason) {
  switch (reason) {
    case RawReason::kBudget:
      return "--max was reached";
    case RawReason::kDisk:
      return "the disk is full";
    case RawReason::kAddressSpace:
      return "the program's address space is used up";
    case RawReason::kTime:
      return "--for was over";
    case RawReason::kSignal:
      return "the second signal came";
    case RawReason::kNone:
      break;
  }
  return "";
}

const ClosedTrace& most_events(const std::vector<ClosedTrace>& rows) {
  return *std::max_element(rows.begin(), rows.end(), [](const ClosedTrace& a, const ClosedTrace& b) {
    return events_of(a) < events_of(b);
  });
}

fs::path raw_of(const fs::path& output) {
  return output.string() + ".raw";
}

fs::path trace_of(const fs::path& output, int pid, unsigned number) {
  fs::path name = output.stem();
  name += number == 1 ? fmt::format(".{}", pid) : fmt::format(".{}-{}", pid, number);
  name += output.extension();
  return output.parent_path() / name;
}

std::vector<ClosedTrace> close_recording(const trace::RawRecording& recording, const fs::path& raw,
                                         const fs::path& output, const std::optional<RecordedEnd>& end,
                                         trace::Writers writers) {
  const std::vector<trace::RawProcess> processes = trace::processes_of(recording, writers);
  if (processes.empty()) return {};
  const double rate = trace::ns_per_tick(recording);
  std::map<int, unsigned> of_pid, last_of_pid;
  for (const trace::RawProcess& process : processes) ++last_of_pid[process.pid];
  std::vector<ClosedTrace> rows;
  try {
    ClosingProgress progress;
    for (const trace::RawProcess& process : processes) {
      const unsigned number = ++of_pid[process.pid];
      const fs::path file = rows.empty() ? output : trace_of(output, process.pid, number);
      const End why = number < last_of_pid[process.pid] ? End::kExec : why_ended(recording, process, end);
      const auto show = [&](std::uint64_t done, std::uint64_t total) {
        progress.show(rows.size() + 1, processes.size(), done, total);
      };
      rows.push_back({file.string(), name_of_end(why), process.pid,
                      trace::close_process(recording, process, rate, why, file, show)});
    }
  } catch (const std::system_error& error) {
    throw std::runtime_error(
        fmt::format("{}. What was recorded is kept in {}: once there is room, heapmark record --finish {} "
                    "closes it, with -o to "
                    "another place",
                    error.what(), raw.string(), (raw.parent_path() / raw.stem()).string()));
  }
  fs::remove(raw);
  return rows;
}

void tell_of_traces(const trace::RawRecording& recording, const std::vector<ClosedTrace>& rows,
                    const std::optional<RecordedEnd>& end) {
  if (end)
    warn(fmt::format("the program took {:.3f} s, {:.3f} s of CPU time", end->elapsed_seconds,
                     end->cpu_seconds));
  const RawReason reason = recording.control().reason;
  if (reason != RawReason::kNone)
    warn(fmt::format("recording ended before the program did: {}; the traces say where they end",
                     words_of(reason)));
  std::uint64_t lost = 0;
  for (const ClosedTrace& row : rows) lost += row.closed.counts.lost_events;
  if (lost > 0)
    warn(fmt::format(
        "{} events are missing: blocks that were freed past the recorder, or chunks that were lost", lost));
  (void)std::fputs(view::for_terminal(table_of(rows), terminal_width(stderr), wants_colour(stderr)).c_str(),
                   stderr);
  const std::string& first = most_events(rows).file;
  (void)std::fputs(
      fmt::format("Next: heapmark trace {0}\n      heapmark run -w trace:{0} -a all\n", first).c_str(),
      stderr);
}

std::string why_nothing(const trace::RawRecording& recording, const std::string& program, bool by_signal) {
  if (recording.control().images_attached == 0)
    return fmt::format(
        "{} did not load the recorder: it is statically linked, runs as another user (set-user-id), clears "
        "its environment or is not of this machine's kind",
        program);
  if (by_signal && recording.control().reason == RawReason::kNone)
    return fmt::format("{} never got the signal that begins the recording: nothing was recorded", program);
  if (const RawReason reason = recording.control().reason; reason != RawReason::kNone)
    return fmt::format("nothing was recorded of {}: {}", program, words_of(reason));
  return fmt::format(
      "{} asked nothing of a malloc that can be recorded: it allocates nothing, or has a malloc of its own",
      program);
}

}  // namespace heapmark::cli
