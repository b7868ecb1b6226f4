// How a trial ended, as the measured process itself can say it; a crash or a timeout is seen by the parent
// alone (harness/trial/trial.h has those too). Written into the report as a number: rows are only added at
// the end.
#pragma once

#include <cstdint>

namespace heapmark {

enum class Outcome : std::uint32_t {
  kUnknown = 0,  // it did not get as far as saying
  kOk = 1,
  kWrongAllocator = 2,  // malloc resolves to another library than the one asked for
  kOutOfMemory = 3,     // a request the workload cannot go on without was refused
  kRefused = 4,         // this machine does not let the workload run (the message says what)
  kCheckFailed = 5,     // --check found an overlap, a wrong alignment or changed contents
  kUsage = 6,           // bad arguments: a defect of the parent
};

}  // namespace heapmark
