// A trace file as one sequence: the events of all threads in the order of their times, where each object is
// made before it is given up and each thread is started before its first event. Of events at the same tick
// that do not wait for each other, that of the lower thread comes first. Memory is bounded by the threads and
// a segment. Whether what is given up is live is for TraceWalk. Below: the reader of the contract.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/trace/bad_trace.h"
#include "harness/trace/mapped_file.h"
#include "workloads/contract/trace/reader.h"

namespace heapmark::trace {

struct Step {
  std::uint64_t segment = 0;
  std::uint32_t thread = 0;
  Event event{};
};

class TraceReading {
 public:
  // Maps the file. Throws std::system_error where it cannot be read, BadTrace where it is none.
  explicit TraceReading(const std::filesystem::path& path);
  // Of bytes in memory, which must stay; `name` is for messages.
  TraceReading(std::string_view bytes, std::string name);
  TraceReading(const TraceReading&) = delete;
  TraceReading& operator=(const TraceReading&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Header& header() const { return file_.header(); }
  [[nodiscard]] const SegmentEntry& segment(std::uint64_t number) const { return file_.segment(number); }
  // The text block: "command", "allocator", ... "" for a key that is not there.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& text() const { return text_; }
  [[nodiscard]] std::string text(std::string_view key) const;

  // False at the end. Throws BadTrace.
  [[nodiscard]] bool next(Step& step);
  // Segments read so far, the one that is being read included.
  [[nodiscard]] std::uint64_t segments_begun() const { return next_segment_; }

  [[noreturn]] void bad(const std::string& what) const;
  [[noreturn]] void bad(std::uint64_t segment, std::uint32_t thread, const std::string& what) const;

 private:
  static constexpr std::uint32_t kNoPart = ~std::uint32_t{0};
  struct Waiter {
    std::uint64_t serial;  // until the thread has made it
    std::uint32_t part;
  };
  struct OpenPart {
    Part part;
    Event head{};
    bool has_head = false, waits_for_spawn = false;
    std::vector<Waiter> waiters;  // other parts, for objects of this one's thread
  };
  struct Ready {
    std::uint64_t tick;
    std::uint32_t thread, part;
    bool operator>(const Ready& other) const {
      return tick != other.tick ? tick > other.tick : thread > other.thread;
    }
  };
  void open();
  void open_segment();
  void close_segment();
  void read_head(std::uint32_t part);
  void place(std::uint32_t part);  // among the ready ones, or among those that wait
  void spawned(std::uint32_t parent, std::uint32_t thread);

  std::string name_;
  std::optional<MappedFile> mapped_;
  std::string_view bytes_;
  TraceFile file_;
  std::vector<std::pair<std::string, std::string>> text_;
  std::vector<std::uint64_t> workspace_, index_;
  std::vector<unsigned char> raw_;

  std::uint64_t next_segment_ = 0, left_in_segment_ = 0, last_tick_ = 0;
  std::vector<std::uint64_t> made_before_, made_;  // objects of each thread: before this segment, and now
  std::vector<std::uint32_t> part_of_;             // of each thread in this segment
  std::vector<unsigned char> has_started_, has_ended_;  // of each thread
  std::vector<OpenPart> parts_;
  std::priority_queue<Ready, std::vector<Ready>, std::greater<>> ready_;
};

}  // namespace heapmark::trace
