// A raw recording (workloads/contract/trace/raw_format.h) from the tool's side: made before the program
// starts, and read again afterwards, whatever has become of the program or the tool. Decides which chunks
// belong to which process and thread, not what their events mean: closing.h. Below: the contract and the file
// system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
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
  // The second moment by which ticks are told in nanoseconds; the first call counts.
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
  // Of the buffer of a thread that may still be at work: what it held. Null: the file has it.
  std::shared_ptr<const std::string> copy;
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

// Whether the recorded processes have ended.
enum class Writers { kGone, kMayBeAtWork };

// All processes with at least one chunk: the program itself first, then in the order of their first events.
// Memory: 48 bytes a chunk, and 64 KiB a thread where its process may be at work.
//
// Once recording has ended no event begins, but each thread may be within one: it may still set the tag of an
// event, and write out its buffer and clear it for that. The file is right at every moment; a reader that
// takes its time may meet a chunk before and after. So buffers are copied, twice with the same result, and
// the regions listed again with the same result. Throws std::runtime_error where that does not come about.
[[nodiscard]] std::vector<RawProcess> processes_of(const RawRecording& recording,
                                                   Writers writers = Writers::kGone);

// Nanoseconds a tick, by the two moments that lie furthest apart.
[[nodiscard]] double ns_per_tick(const RawRecording& recording);

// Reads `count` bytes of a chunk from `at` on.
std::size_t read_chunk(int fd, const RawChunkPlace& chunk, void* to, std::size_t count, std::size_t at);

// Reads `count` bytes at `offset` (fewer at the file's end). Throws std::system_error.
std::size_t read_at(int fd, void* to, std::size_t count, std::uint64_t offset);

}  // namespace heapmark::trace
