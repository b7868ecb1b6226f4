// Every exit code of heapmark, and the words for it that `heapmark --help` prints.
#pragma once

#include <stdexcept>
#include <string>

namespace heapmark::cli {

inline constexpr int kToolFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kSomeTrialFailed = 3;
inline constexpr int kNotInstalled = 4;
inline constexpr int kLibraryRefused = 5;
inline constexpr int kFileInUse = 6;
inline constexpr int kBadTrace = 7;
inline constexpr int kNotRecordable = 8;
inline constexpr int kCannotRun = 126;  // as shells have it
inline constexpr int kNotFound = 127;
inline constexpr int kBySignal = 128;  // and the signal's number, as shells have it

inline constexpr const char* kExitCodesHelp =
    "exit codes:\n"
    "  0    fine\n"
    "  1    heapmark itself failed, or its output could not be written\n"
    "  2    wrong usage\n"
    "  3    some trial failed, or a merged plan is not complete\n"
    "  4    exec: the allocator is not installed\n"
    "  5    a library given by its path hands out blocks that overlap, are not aligned or change\n"
    "  6    another heapmark is writing the results file\n"
    "  7    a trace, or a file to be imported as one, is truncated, damaged or none\n"
    "  8    record: the program cannot be recorded (static, set-user-id), or allocated nothing\n"
    "  126  exec, record: the command cannot be run; 127: it was not found; else they end as the command "
    "does\n"
    "  130  interrupted by Ctrl-C (SIGINT); 143: by SIGTERM; what was measured is kept";

// Ends the program with `exit_code` and the message.
class Failure : public std::runtime_error {
 public:
  Failure(int exit_code, const std::string& message) : std::runtime_error(message), exit_code_(exit_code) {}
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

}  // namespace heapmark::cli
