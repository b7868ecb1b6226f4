// The part of the fake host that takes part in lockstep sessions.
#pragma once

#include <string>

namespace heapmark::fake {

struct SeatArguments {
  int session_fd = -1, turn_ended_fd = -1;
  unsigned seat = 0;
};

inline constexpr int kSlices = 12;

// Takes all its turns, each a short sleep, and writes down when they began and ended: wall_ns and cpu_ns of
// the slice records are these times. Fails in its third slice as the name of the workload says.
void take_turns(const SeatArguments& arguments, const std::string& workload);

}  // namespace heapmark::fake
