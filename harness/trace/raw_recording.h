// A raw recording (workloads/contract/trace/raw_format.h) from the tool's side: made before the program
// starts, and read again afterwards, whatever has become of the program or the tool. Decides which chunks
// belong to which process and thread, not what their events mean: closing.h. Below: the contract and the file
// system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "workloads/contract/trace/raw_format.h"

namespace heapmark::trace {

using Text = std::vector<std::pair<std::string, std::string>>;

struct RawOptions {
  std::uint64_t budget_bytes = 0;
  int signal = 0;
  Text text;  // "command", "allocator", ...: at most 4 KiB in all, cut where longer
};

// The file, open, with its control page mapped.
class RawRecording {
 public:
  // Makes the file anew, recording on, or waiting where a signal is to turn it on. Throws std::system_error.
  // HEAPMARK_RECORD_CLOCK in the environment: by CLOCK_MONOTONIC even where the time stamp counter would do.
  static RawRecording create(const std::filesystem::path& path, const RawOptions& options);
  // Opens one that is there. Throws std::runtime_error with what is wrong with it.
  static RawRecording open(const std::filesystem::path& path);

  RawRecording(RawRecording&& other) noexcept;
  RawRecording& operator=(RawRecording&&) = delete;
  RawRecording(const RawRecording&) = delete;
  ~RawRecording();

  [[nodiscard]] RawControl& control() const { return *control_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] Text text() const;

  // Ends recording in all processes, where nothing else has yet.
  void end(RawReason reason) const;
  // The second moment by which ticks are told in nanoseconds.
  void note_end() const;

 private:
  RawRecording(int fd, RawControl* control) : fd_(fd), control_(control) {}
  int fd_;
  RawControl* control_;
};

struct RawChunkPlace {
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;  // with the header
  std::uint32_t thread = 0;
  std::uint64_t sequence = 0, start_time = 0;
};

// A process between fork or exec and its end or the next exec.
struct RawProcess {
  std::uint32_t image = 0;
  std::int32_t pid = 0, parent_pid = 0;
  std::uint64_t start_ticks = 0, start_unix_ns = 0;
  bool forked = false, exited = false;
  bool tells_written = false;         // there is a kRawWritten
  std::string command;                // words separated by spaces
  std::vector<RawChunkPlace> chunks;  // by thread, then sequence
  [[nodiscard]] std::uint64_t bytes() const;
};

// All processes with at least one chunk: the program itself first, then in the order of their first events.
// Memory: 32 bytes a chunk.
[[nodiscard]] std::vector<RawProcess> processes_of(const RawRecording& recording);

// Nanoseconds a tick, by the two moments that lie furthest apart.
[[nodiscard]] double ns_per_tick(const RawRecording& recording);

// Reads `count` bytes at `offset` (fewer at the file's end). Throws std::system_error.
std::size_t read_at(int fd, void* to, std::size_t count, std::uint64_t offset);

}  // namespace heapmark::trace
