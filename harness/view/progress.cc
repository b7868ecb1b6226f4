// See progress.h.
#include "harness/view/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "harness/view/quantity.h"

namespace heapmark::view {
namespace {

constexpr std::chrono::seconds kBetweenLogLines{10};

std::string group_of(const trial::TrialSpec& spec) {
  return spec.workload + "/" + spec.variant + "/" + spec.pass;
}

// The start of a text, "..." in place of what is left out.
std::string shortened(const std::string& text, std::size_t width) {
  constexpr std::string_view kLeftOut = "...";
  if (text.size() <= width) return text;
  if (width <= kLeftOut.size()) return text.substr(0, width);
  return text.substr(0, width - kLeftOut.size()) + std::string(kLeftOut);
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
                          std::optional<double> seconds_left, std::size_t failed, std::size_t width) {
  constexpr std::size_t kLeastOfLabel = 8;
  const std::size_t digits = fmt::formatted_size("{}", total);
  const std::string before = fmt::format("[{:>{}}/{}] {}/{}, {} pass, ", number, digits, total, spec.workload,
                                         spec.variant, spec.pass);
  std::string after;
  if (seconds_left) after += ", " + duration(*seconds_left) + " left";
  if (failed > 0) after += fmt::format(", {} failed", failed);
  const std::size_t others = before.size() + after.size();
  const std::size_t room = std::max(kLeastOfLabel, width > others ? width - others : 0);
  return shortened(before + shortened(spec.allocator, room) + after, width);
}

// What cannot be shown is no reason to end a run.
void Progress::write(const std::string& text) {
  (void)std::fputs(text.c_str(), out_);
  (void)std::fflush(out_);
}

void Progress::starts(const std::vector<trial::TrialSpec>& plan, std::size_t at) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ && last_line_ && now - *last_line_ < kBetweenLogLines) return;
  last_line_ = now;
  auto seconds = time_left_.seconds_for(plan, at);
  if (seconds && deadline_)
    seconds = std::clamp(std::chrono::duration<double>(*deadline_ - now).count(), 0.0, *seconds);
  const auto line = [&](auto... width) {
    return progress_line(plan[at], at + 1, plan.size(), seconds, failed_, width...);
  };
  shown_ = terminal_;
  write(terminal_ ? "\r\033[K" + line(width_ - 1) : line() + "\n");
}

void Progress::ended(const trial::TrialSpec& spec, const trial::TrialResult& result) {
  time_left_.ended(spec, result.wall_seconds);
  if (result.outcome != trial::Outcome::kOk) ++failed_;
}

void Progress::note(const std::string& sentence) {
  clear();
  write(sentence + "\n");
}

void Progress::clear() {
  if (!shown_) return;
  write("\r\033[K");
  shown_ = false;
}

}  // namespace heapmark::view
