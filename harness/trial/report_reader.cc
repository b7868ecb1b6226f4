// See report_reader.h.
#include "harness/trial/report_reader.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>

#include <algorithm>

namespace heapmark::trial {
namespace {

template <std::size_t N>
std::string text_of(const char (&text)[N]) {
  return {text, ::strnlen(text, N)};
}

Table read_table(const Report& report, const ReportTable& from) {
  Table table;
  const std::size_t columns = std::min<std::size_t>(from.column_count, kMaxColumns);
  for (std::size_t column = 0; column < columns; ++column)
    table.columns.push_back(text_of(from.columns[column]));
  table.dropped_rows = from.dropped_rows;
  for (std::size_t row = 0; row < from.row_count; ++row) {
    const std::size_t first = from.first_cell + row * columns;
    if (columns == 0 || first + columns > kMaxCells) break;
    table.rows.emplace_back(report.cells + first, report.cells + first + columns);
    if (from.first_text == kNoTexts || from.first_text + row >= kMaxTexts) continue;
    table.texts.push_back(text_of(report.texts[from.first_text + row]));
  }
  return table;
}

std::string phase_of(const Report& report) {
  const std::uint32_t phase = report.phase.load();
  if (phase >= report.phase_count || phase >= std::size(report.phase_names)) return "";
  return text_of(report.phase_names[phase]);
}

const char* stage_words(Stage stage) {
  switch (stage) {
    case Stage::kStarted:
      return "before its main()";
    case Stage::kPrepared:
      return "before the workload";
    case Stage::kWorkload:
      return "in the workload";
    case Stage::kFinished:
      return "after the workload";
    case Stage::kDone:
      return "at its exit";
  }
  return "nobody knows where";
}

std::string where(const Report& report) {
  const auto stage = static_cast<Stage>(report.stage.load());
  const std::string phase = phase_of(report);
  if (stage == Stage::kWorkload && !phase.empty()) return fmt::format("in the phase '{}'", phase);
  return stage_words(stage);
}

std::string with_last_words(std::string message, const std::string& last_words) {
  if (!last_words.empty()) message += fmt::format("{}it said: {}", message.empty() ? "" : "; ", last_words);
  return message;
}

}  // namespace

void read_report(const Report& report, TrialResult& result) {
  if (report.magic != kReportMagic || report.version != kReportVersion) return;
  result.malloc_library = text_of(report.malloc_library);
  result.rss_source = text_of(report.rss_source);
  result.observer_bytes = report.observer_bytes;
  result.baseline_rss_bytes = report.baseline_rss_bytes;
  result.operations = report.operations;
  for (std::size_t at = 0; at < std::min<std::size_t>(report.metric_count, kMaxMetrics); ++at)
    result.metrics[text_of(report.metrics[at].name)] = report.metrics[at].value;
  for (std::size_t at = 0; at < std::min<std::size_t>(report.table_count, kMaxTables); ++at)
    result.tables[text_of(report.tables[at].name)] = read_table(report, report.tables[at]);
  for (std::size_t at = 0; at < std::min<std::size_t>(report.phase_count, std::size(report.phase_names));
       ++at)
    result.phases.push_back(text_of(report.phase_names[at]));
}

void judge_ending(const Report& report, const Ending& ending, std::chrono::seconds timeout,
                  const std::string& last_words, TrialResult& result) {
  if (ending.interrupted) {
    result.outcome = Outcome::kInterrupted;
    return;
  }
  if (ending.timed_out) {
    result.outcome = Outcome::kTimedOut;
    result.message =
        with_last_words(fmt::format("killed after {} s, {}", timeout.count(), where(report)), last_words);
    return;
  }
  if (WIFSIGNALED(ending.wait_status)) {
    const int signal = WTERMSIG(ending.wait_status);
    if (signal == SIGKILL && ending.oom_kill != machine::OomKill::kNone) {
      const bool at_limit = ending.oom_kill == machine::OomKill::kCgroupLimit;
      result.outcome = at_limit ? Outcome::kCgroupLimit : Outcome::kOutOfMemory;
      result.message =
          with_last_words(fmt::format("{} {}",
                                      at_limit ? "the kernel ended it at the limit of its memory cgroup"
                                               : "the kernel ended it because the machine had no memory left",
                                      where(report)),
                          last_words);
      return;
    }
    const char* name = ::sigabbrev_np(signal);
    result.outcome = Outcome::kCrashed;
    result.message = with_last_words(
        fmt::format("killed by {} {}", name != nullptr ? "SIG" + std::string(name) : std::to_string(signal),
                    where(report)),
        last_words);
    return;
  }
  const int code = WEXITSTATUS(ending.wait_status);
  const auto said = static_cast<heapmark::Outcome>(report.outcome);
  if (code != 0 || static_cast<Stage>(report.stage.load()) != Stage::kDone ||
      said == heapmark::Outcome::kUnknown) {
    // An allocator that gives up ends the process with a code of its own.
    result.outcome = code == 2 || code == 127 ? Outcome::kError : Outcome::kCrashed;
    result.message = with_last_words(fmt::format("exited with code {} {}", code, where(report)), last_words);
    return;
  }
  result.message = text_of(report.message);
  switch (said) {
    case heapmark::Outcome::kOk:
      result.outcome = Outcome::kOk;
      return;
    case heapmark::Outcome::kWrongAllocator:
      result.outcome = Outcome::kWrongAllocator;
      break;
    case heapmark::Outcome::kOutOfMemory:
      result.outcome = Outcome::kOutOfMemory;
      break;
    case heapmark::Outcome::kRefused:
      result.outcome = Outcome::kRefused;
      break;
    case heapmark::Outcome::kCheckFailed:
      result.outcome = Outcome::kCheckFailed;
      break;
    default:
      result.outcome = Outcome::kError;
      break;
  }
  result.message = with_last_words(result.message, last_words);
}

}  // namespace heapmark::trial
