// heapmark-host: the measured process. Runs exactly one trial, on whatever malloc was preloaded into it, and
// allocates nothing of its own; or tells what it can run.
//   heapmark-host run --workload=NAME [--set=NAME=VALUE]... --seed=N --pass=PASS --library=FILE --report-fd=N
//   [--check] [--session-fd=N --seat=N --turn-ended-fd=N]
//   heapmark-host describe
// Exits 0 where the report says how it went, 2 for wrong usage, 1 where the report cannot be mapped.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "workloads/host/arguments.h"
#include "workloads/host/clock.h"
#include "workloads/host/describe.h"
#include "workloads/host/trial_run.h"
#include "workloads/text.h"

namespace {

using namespace heapmark;

int complain(const char* text, int exit_code) {
  Message message;
  message.add("heapmark-host: ").add(text).add("\n");
  (void)!write(STDERR_FILENO, message.c_str(), message.size());
  return exit_code;
}

// Pre-faulted and written once, so that no store into it faults while the workload runs.
Report* map_report(int fd) {
  struct stat file {};
  if (fstat(fd, &file) != 0 || static_cast<std::size_t>(file.st_size) < sizeof(Report)) return nullptr;
  void* memory = mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (memory == MAP_FAILED) return nullptr;
  for (std::size_t at = 0; at < sizeof(Report); at += 4096) {
    volatile char* const page = static_cast<char*>(memory) + at;
    *page = *page;
  }
  return static_cast<Report*>(memory);
}

host::Arguments arguments;

}  // namespace

int main(int argc, char** argv) {
  host::find_real_clock();
  if (argc == 2 && std::strcmp(argv[1], "describe") == 0)
    return host::describe(STDOUT_FILENO) ? 0 : complain("cannot write", 1);
  if (argc < 2 || std::strcmp(argv[1], "run") != 0) return complain("usage: run ... | describe", 2);
  if (const char* error = host::read_arguments(argc, argv, arguments); *error != '\0')
    return complain(error, 2);
  Report* report = map_report(arguments.report_fd);
  if (report == nullptr) return complain("--report-fd is no file of the report's size", 1);
  host::run_trial(arguments, *report);
  // Without atexit handlers: what an allocator prints or frees at exit is no part of the trial.
  _exit(0);
}
