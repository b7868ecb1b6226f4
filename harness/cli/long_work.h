// The share that is done of work that may take long, on standard error: nothing in the first two seconds;
// then on a terminal a line that is overwritten, elsewhere a line every ten seconds.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "harness/cli/terminal.h"

namespace heapmark::cli {

class LongWork {
 public:
  explicit LongWork(std::string what) : what_(std::move(what)) {}
  ~LongWork() {
    if (shown_ && terminal_) (void)std::fputs("\r\033[K", stderr);
  }
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

  void done(double share) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000));
    const std::string line = fmt::format("heapmark: {}: {:.0f} %", what_, 100 * share);
    (void)std::fputs((terminal_ ? "\r\033[K" + line : line + "\n").c_str(), stderr);
    shown_ = true;
  }

 private:
  std::string what_;
  bool terminal_ = is_terminal(stderr), shown_ = false;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

}  // namespace heapmark::cli
