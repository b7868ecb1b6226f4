// What the threads of the replay do between two meetings: the events of one or a few segments as plain
// arrays, objects already turned into slots. The decoder makes a batch while all threads sleep; it trusts
// nothing: an object that is not live, a thread that was not spawned, live bytes other than the index says
// end the trial.
#pragma once

#include <atomic>
#include <cstdint>

#include "workloads/context.h"
#include "workloads/trace/object_table.h"
#include "workloads/trace/trace_source.h"

namespace heapmark::replay {

inline constexpr std::uint32_t kNone = ~std::uint32_t{0};

// Batches of fewer events would time the meetings and cold caches more than the allocator.
inline constexpr std::uint64_t kBatchEvents = 1 << 16;

struct Step {
  std::uint64_t size;           // asked for
  std::uint64_t freed;          // of the object given up
  std::uint32_t gives, takes;   // slots; of kSpawn `takes` is the thread that starts
  std::uint32_t written_pages;  // of what it yields
  trace::Op op;
  std::uint8_t log2_alignment;
  bool is_told;  // something is known of what is written to, or was, of the object given up
};
static_assert(sizeof(Step) == 32);

// Steps of one thread, one after the other.
struct Range {
  std::uint32_t first, count;
  std::uint32_t next;  // the thread's next range in the batch, or kNone
};

enum class Life : std::uint8_t { kNotYet, kLive, kEnded };

struct ThreadPlan {
  std::uint32_t first_range, last_range;
  std::uint32_t first_live;  // list of slots by SlotInfo::next, where a part of a trace begins
  Life life;                 // after the batch
  bool busy, fresh;          // has a part in the batch, or starts in it; starts in it
};

// Of an object that lives on, more is written to by now.
struct Write {
  std::uint32_t slot, pages;
};

class Decoder {
 public:
  // prepare() only. `timed`: the ticks of the steps are wanted.
  void prepare(Context& context, TraceSource& source, bool timed);

  // Begins an empty batch. What the last one gave up may be used again.
  void begin_batch();
  // Adds a segment: the one after the last added. Its live bytes and objects at its end are as in the index.
  void add_segment(Context& context, std::uint64_t number);
  // True where another segment surely fits and should be added.
  [[nodiscard]] bool wants_more() const { return step_count_ < batch_events_; }

  // As before the first segment.
  void start_again();
  // peak_written_bytes() is what lives now.
  void begin_part() { peak_written_bytes_ = objects_.live_bytes() - objects_.live_unwritten_bytes(); }
  // Strings live objects together by the thread that made them, or thread 0 where that has ended.
  void list_live();

  [[nodiscard]] const Step* steps() const { return steps_; }
  [[nodiscard]] const std::uint64_t* ticks() const { return ticks_; }  // null where not wanted
  [[nodiscard]] const Range& range(std::uint32_t number) const { return ranges_[number]; }
  [[nodiscard]] ThreadPlan& thread(std::uint32_t number) { return threads_[number]; }
  [[nodiscard]] std::uint32_t busy_count() const { return busy_count_; }
  [[nodiscard]] std::uint32_t busy(std::uint32_t place) const { return busy_[place]; }
  [[nodiscard]] const ObjectTable& objects() const { return objects_; }
  [[nodiscard]] std::atomic<void*>* blocks() const { return blocks_; }  // by slot; null: not there yet
  // What the batch says of objects that were there before its end: looked at when it is done, of those that
  // live then.
  [[nodiscard]] const Write* writes() const { return writes_; }
  [[nodiscard]] std::uint32_t write_count() const { return write_count_; }
  [[nodiscard]] std::uint64_t operations() const { return operations_; }  // of the allocator, in the batch
  // A lower bound of the most bytes, written to and live at one time, of the segments since begin_part().
  [[nodiscard]] std::uint64_t peak_written_bytes() const { return peak_written_bytes_; }

 private:
  void read_part(Context& context, trace::Part& part);
  void make_busy(std::uint32_t thread);
  void note_written();

  TraceSource* source_ = nullptr;
  ObjectTable objects_;
  Step* steps_ = nullptr;
  std::uint64_t* ticks_ = nullptr;
  trace::Object* taken_ = nullptr;  // of the segment's steps, by their place in it
  Range* ranges_ = nullptr;
  Write* writes_ = nullptr;
  ThreadPlan* threads_ = nullptr;
  std::uint32_t* busy_ = nullptr;
  std::uint64_t *made_before_ = nullptr, *made_ = nullptr;
  std::atomic<void*>* blocks_ = nullptr;
  std::uint64_t batch_events_ = 0, operations_ = 0, peak_written_bytes_ = 0;
  std::uint32_t step_count_ = 0, range_count_ = 0, write_count_ = 0, busy_count_ = 0, segment_first_step_ = 0;
  std::uint32_t thread_count_ = 0;
};

}  // namespace heapmark::replay
