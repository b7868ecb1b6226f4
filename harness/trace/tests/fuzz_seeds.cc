// Writes the seeds of trace_fuzz into a folder: small traces as files and as raw segments, logs of the
// formats that are imported, and raw recordings of random calls.   Usage: fuzz_seeds FOLDER
#include <cstdio>
#include <exception>
#include <fstream>
#include <random>

#include "harness/trace/example_trace.h"
#include "harness/trace/tests/fuzz_input.h"
#include "harness/trace/tests/fuzz_recording.h"
#include "testing/folder.h"
#include "workloads/contract/trace/reader.h"

namespace {

using namespace heapmark::trace;
using heapmark::testing::contents;

constexpr const char* kMemoryReplayText =
    "186: malloc 0xb48390a0 48 1000 1020\n186: calloc 0xb4000000 4 32 1100 1120\n"
    "187: realloc 0xb5000000 0xb4000000 300 1200 1210\n187: free 0xb48390a0 1300 1310\n"
    "186: memalign 0xb48390a0 64 100 1400 1410\n187: thread_done 0x0 1500\n186: free 0x1234 1600 1610\n"
    "186: realloc 0xb48390a0 0xb48390a0 30 1700 1710\n188: malloc 0x0 99999 1800 1810\n";
constexpr const char* kMtraceText =
    "= Start\n@ ./a.out:[0x401136] + 0x16f36b0 0x64\n@ ./a.out:(main+0x12)[0x401150] < 0x16f36b0\n"
    "@ ./a.out:(main+0x12)[0x401150] > 0x16f3720 0xc8\n+ (nil) 0xfffff\n@ /a b/c:[0x1] ! 0x16f3720 0x1000\n"
    "@ ./a.out:[0x401160] - 0x16f3720\n@ ./a.out:[0x401160] - 0x16f9999\n= End\n";

void write(const std::filesystem::path& path, FuzzKind kind, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << static_cast<char>(kind) << bytes;
}

// The segments of a trace as FuzzKind::kSegments has them.
std::string segments_of(const std::string& bytes) {
  TraceFile file;
  if (file.open(bytes.data(), bytes.size()) != nullptr) throw std::runtime_error("the example is no trace");
  std::vector<std::uint64_t> workspace(TraceFile::workspace_bytes() / 8 + 1),
      index(file.header().index_raw_bytes / 8 + 1);
  if (file.read_index(index.data(), workspace.data()) != nullptr) throw std::runtime_error("no index");
  std::string all(1, static_cast<char>(file.header().threads - 1));
  for (std::uint64_t number = 0; number < file.header().segments; ++number) {
    std::string raw(file.header().max_segment_raw_bytes, '\0');
    if (file.read_segment(number, raw.data(), workspace.data()) != nullptr)
      throw std::runtime_error("no segment");
    raw.resize(file.segment(number).raw_bytes);
    all += static_cast<char>(raw.size() & 0xff);
    all += static_cast<char>(raw.size() >> 8);
    all += raw;
  }
  return all;
}

// Random calls of `threads` threads, as FuzzKind::kCalls has them.
std::string random_calls(unsigned threads, unsigned calls) {
  std::mt19937 random(threads);
  std::string input(1, static_cast<char>(threads - 1));
  while (calls-- > 0) {
    const unsigned op = random() % 2 == 0 ? 0 : random() % 12;
    const bool new_chunk = random() % 40 == 0;
    for (const unsigned byte : {random() % threads | (new_chunk ? 8U : 0U) | op << 4, random() % 256,
                                random() % 16, random() % 128})
      input.push_back(static_cast<char>(byte));
  }
  return input;
}

// The same as regions, behind a control page whose counter is the clock.
std::string regions_of(const std::string& calls) {
  std::string input("\0\2\100\0\0\0\0\14", 8);
  for (const FuzzRegion& region : calls_of(calls).regions) input += region.input();
  return input;
}

void make_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto trace = folder / "trace";
  for (const std::uint32_t threads : {1U, 2U, 5U})
    for (const std::uint64_t segment_events : {8U, 64U}) {
      ExampleOptions options;
      options.events = 150;
      options.threads = threads;
      options.live_objects = 20;
      options.segment_events = segment_events;
      options.seed = threads;
      options.tells_written = threads != 1;
      write_example(trace, options);
      const std::string bytes = contents(trace),
                        name = std::to_string(threads) + "-" + std::to_string(segment_events);
      write(folder / ("file-" + name), FuzzKind::kFile, bytes);
      write(folder / ("segments-" + name), FuzzKind::kSegments, segments_of(bytes));
    }
  std::filesystem::remove(trace);
  for (const unsigned threads : {1U, 2U, 5U}) {
    const std::string calls = random_calls(threads, 120);
    write(folder / ("calls-" + std::to_string(threads)), FuzzKind::kCalls, calls);
    write(folder / ("regions-" + std::to_string(threads)), FuzzKind::kRegions, regions_of(calls));
  }
  write(folder / "memory_replay", FuzzKind::kMemoryReplay, kMemoryReplayText);
  write(folder / "mtrace", FuzzKind::kMtrace, kMtraceText);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)std::fputs("Usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  try {
    make_seeds(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    (void)std::fprintf(stderr, "fuzz_seeds: %s\n", error.what());
    return 1;
  }
}
