// The shared mapping of a lockstep session as the harness sees it: made by it, read and granted from by it.
// The layout and the protocol are those of workloads/contract/session.h.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/trial/child.h"
#include "workloads/contract/session.h"

namespace heapmark::trial {

class SessionMemory {
 public:
  // `cpus`: in the order in which they are to be used. Throws std::system_error.
  SessionMemory(std::uint32_t seats, const std::vector<std::uint32_t>& cpus);
  ~SessionMemory();
  SessionMemory(const SessionMemory&) = delete;
  SessionMemory& operator=(const SessionMemory&) = delete;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Session& session() const { return *reinterpret_cast<const Session*>(memory_); }
  [[nodiscard]] const Seat& seat(std::uint32_t index) const;

  // Gives the process of this seat its next turn.
  void grant(std::uint32_t index);

 private:
  [[nodiscard]] Seat& own_seat(std::uint32_t index);

  Descriptor fd_;
  std::size_t bytes_;
  char* memory_;
};

}  // namespace heapmark::trial
