// Waiting in a test for what another process or thread does.
#pragma once

#include <chrono>
#include <thread>

namespace heapmark::testing {

// Whether it becomes true; looks a hundred times a second, for at most that long.
template <typename Condition>
bool becomes_true(const Condition& condition, std::chrono::seconds at_most) {
  constexpr std::chrono::milliseconds kBetween{10};
  for (auto left = at_most / kBetween; left > 0 && !condition(); --left)
    std::this_thread::sleep_for(kBetween);
  return condition();
}

}  // namespace heapmark::testing
