// See progress.h.
#include "harness/view/progress.h"

#include <fmt/format.h>

#include "harness/view/quantity.h"

namespace heapmark::view {
namespace {

constexpr std::chrono::seconds kBetweenLogLines{10};

std::string group_of(const trial::TrialSpec& spec) {
  return spec.workload + "/" + spec.variant + "/" + spec.pass;
}

}  // namespace

void TimeLeft::ended(const trial::TrialSpec& spec, double wall_seconds) {
  const std::string group = group_of(spec);
  for (Mean* mean : {&by_group_[group], &by_allocator_and_group_[spec.allocator + " " + group], &all_}) {
    mean->sum += wall_seconds;
    ++mean->count;
  }
}

std::optional<double> TimeLeft::seconds_for(const std::vector<trial::TrialSpec>& plan,
                                            std::size_t from) const {
  if (all_.count == 0) return std::nullopt;
  double seconds = 0;
  for (std::size_t at = from; at < plan.size(); ++at) {
    const std::string group = group_of(plan[at]);
    const Mean* mean = &all_;
    if (const auto same = by_group_.find(group); same != by_group_.end()) mean = &same->second;
    if (const auto same = by_allocator_and_group_.find(plan[at].allocator + " " + group);
        same != by_allocator_and_group_.end())
      mean = &same->second;
    seconds += mean->sum / static_cast<double>(mean->count);
  }
  return seconds;
}

std::string progress_line(const trial::TrialSpec& spec, std::size_t number, std::size_t total,
                          std::optional<double> seconds_left, std::size_t failed) {
  const std::size_t digits = fmt::formatted_size("{}", total);
  std::string line = fmt::format("[{:>{}}/{}] {}/{}, {} pass, {}", number, digits, total, spec.workload,
                                 spec.variant, spec.pass, spec.allocator);
  if (seconds_left) line += ", " + duration(*seconds_left) + " left";
  if (failed > 0) line += fmt::format(", {} failed", failed);
  return line;
}

void Progress::starts(const std::vector<trial::TrialSpec>& plan, std::size_t at) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && last_line_ && now - *last_line_ < kBetweenLogLines) return;
  last_line_ = now;
  std::string line = progress_line(plan[at], at + 1, plan.size(), time_left_.seconds_for(plan, at), failed_);
  if (terminal_) {
    if (line.size() >= width_) line.resize(width_ - 1);
    fmt::print(out_, "\r\033[K{}", line);
    shown_ = true;
  } else {
    fmt::print(out_, "{}\n", line);
  }
  std::fflush(out_);
}

void Progress::ended(const trial::TrialSpec& spec, const trial::TrialResult& result) {
  time_left_.ended(spec, result.wall_seconds);
  if (result.outcome != trial::Outcome::kOk) ++failed_;
}

void Progress::note(const std::string& sentence) {
  clear();
  fmt::print(out_, "{}\n", sentence);
  std::fflush(out_);
}

void Progress::clear() {
  if (!shown_) return;
  fmt::print(out_, "\r\033[K");
  std::fflush(out_);
  shown_ = false;
}

}  // namespace heapmark::view
