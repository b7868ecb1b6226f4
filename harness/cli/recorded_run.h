// A program run under the recorder: started, waited for with all that it leaves behind, its signals passed
// on. Decides when recording ends, not what becomes of it: record.cc. Below: the control page of the raw
// recording.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/trace/raw_recording.h"
#include "harness/trial/trial.h"

namespace heapmark::cli {

struct RecordedProgram {
  std::vector<std::string> words;
  trial::Pairs environment;                        // set beside heapmark's own
  std::optional<std::chrono::seconds> record_for;  // from the start of recording
  int signal = 0;                                  // turns recording on and off; 0: none
  // Called once where recording has ended and the program goes on; must not wait.
  std::function<void()> goes_on;
};

struct RecordedEnd {
  int start_error = 0;  // errno of execvp(3); the rest is then not set
  int pid = 0;
  int wait_status = 0;  // of the program itself, wait(2)
  double elapsed_seconds = 0;
  double cpu_seconds = 0;  // of it and what it waited for, getrusage(2)
};

// Returns when the program and all processes that it left behind have ended; where it has ended and some are
// left, Ctrl-C (SIGINT, SIGTERM, SIGHUP) or the end of `record_for` leaves them alone. While the program runs
// SIGTERM and SIGHUP are passed on to it, and Ctrl-C reaches it from the terminal. Throws std::system_error.
[[nodiscard]] RecordedEnd run_recorded(const trace::RawRecording& recording, const RecordedProgram& program);

}  // namespace heapmark::cli
