// Gives turns to the processes of a lockstep session and waits for the end of each: it ends the turn, ends
// itself, exceeds its time, is stopped by a signal, or the tool is interrupted. Knows processes and seats,
// not what is measured. Sleeps while a process runs.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

#include "harness/trial/session_memory.h"

namespace heapmark::trial {

enum class TurnEnd { kEnded, kExited, kTimedOut, kStopped, kInterrupted };

// A process with a seat, and the time that its turns may still take in all.
struct Player {
  pid_t pid = -1;
  Descriptor pidfd;
  std::uint32_t seat = 0;
  std::uint32_t turns_ended = 0;  // that the conductor knows of
  std::chrono::nanoseconds left{0};
  std::chrono::nanoseconds used{0};
};

class Conductor {
 public:
  // `interrupted_fd` becomes readable where the tool is interrupted. Throws std::system_error.
  Conductor(SessionMemory& memory, int interrupted_fd);

  [[nodiscard]] int turn_ended_fd() const { return turn_ended_.get(); }

  // For a process that was just started: until it waits for its first turn.
  [[nodiscard]] TurnEnd wait_until_ready(Player& player) { return wait(player); }

  [[nodiscard]] TurnEnd turn(Player& player);

 private:
  TurnEnd wait(Player& player);

  SessionMemory& memory_;
  int interrupted_fd_;
  Descriptor turn_ended_;  // an eventfd that processes write to
};

}  // namespace heapmark::trial
