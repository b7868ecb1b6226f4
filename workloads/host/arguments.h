// The command line of the measured process, read without malloc: which workload with which parameters, and
// for each parameter its value, checked against the workload's own declaration.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/workload.h"

namespace heapmark::host {

inline constexpr std::size_t kMaxParameters = 32;

struct Value {
  std::uint64_t count = 0;
  double number = 0;
  const char* text = "";
};

struct Arguments {
  const Workload* workload = nullptr;
  Value values[kMaxParameters];  // in the order of workload->parameters
  std::uint64_t seed = 1;
  Pass pass = kSpeed;
  bool check = false;
  const char* library = "";
  int report_fd = -1;
  int session_fd = -1;     // of a lockstep session; -1: a trial alone
  int turn_ended_fd = -1;  // an eventfd of the session's
  std::uint32_t seat = 0;
};

// Reads argv from its third word on. Returns "" or what is wrong.
const char* read_arguments(int argc, char** argv, Arguments& out);

// "64K" -> 65536, "0.75", "1e6" is not accepted. False where `text` is no such number.
bool read_number(const char* text, double& value);

}  // namespace heapmark::host
