// Writes a synthetic trace: synthetic_trace FILE EVENTS [THREADS [MOST_LIVE [SEGMENT_EVENTS]]]. For
// scripts/recorder-length.
#include "harness/trial/tests/synthetic_trace.h"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc < 3 || argc > 6) {
    std::fprintf(stderr, "usage: synthetic_trace FILE EVENTS [THREADS [MOST_LIVE [SEGMENT_EVENTS]]]\n");
    return 2;
  }
  heapmark::testing::SyntheticTrace wanted;
  wanted.events = std::strtoull(argv[2], nullptr, 10);
  wanted.segment_events = heapmark::trace::segment_events_for(wanted.events);
  if (argc > 3) wanted.threads_at_once = static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10));
  if (argc > 4) wanted.most_live = std::strtoull(argv[4], nullptr, 10);
  if (argc > 5) wanted.segment_events = std::strtoull(argv[5], nullptr, 10);
  wanted.thread_lives = wanted.events / 1000 + 1;
  const auto header = heapmark::testing::write_synthetic_trace(argv[1], wanted);
  std::printf("%llu events, %llu threads, %llu live bytes at most, %llu bytes of file\n",
              static_cast<unsigned long long>(header.events), static_cast<unsigned long long>(header.threads),
              static_cast<unsigned long long>(header.max_live_bytes),
              static_cast<unsigned long long>(header.file_bytes));
  return 0;
}
