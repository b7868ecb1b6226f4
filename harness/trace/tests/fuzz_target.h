// What the parts of the fuzzer's target share: how a wrong result is told, and where files are written.
// Above: trace_fuzz.cc, recording_fuzz.cc.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace heapmark::trace {

[[noreturn]] inline void fail(const char* what, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", what, why.c_str());
  std::abort();
}

// A file that is removed at the end.
inline const std::filesystem::path& scratch() {
  static const std::filesystem::path path = "/dev/shm/heapmark-trace-fuzz-" + std::to_string(::getpid());
  [[maybe_unused]] static const int registered = std::atexit([] { (void)::unlink(scratch().c_str()); });
  return path;
}

// A raw recording, in the form of FuzzKind::kRegions and of FuzzKind::kCalls, is closed; the traces must be
// right.
void try_regions(const std::string& input);
void try_calls(const std::string& input);

}  // namespace heapmark::trace
