// See batch.h.
#include "workloads/trace/batch.h"

namespace heapmark::replay {
namespace {

constexpr std::uint64_t kMostObjects = 0xf0000000;  // slots are 32 bits

template <typename T>
T* own(Context& context, std::uint64_t count) {
  return static_cast<T*>(context.own_memory(sizeof(T) * (count + 1)));
}

}  // namespace

void Decoder::prepare(Context& context, TraceSource& source, bool timed) {
  source_ = &source;
  const trace::Header& header = source.header();
  batch_events_ = header.events < kBatchEvents ? header.events : kBatchEvents;
  // A segment is added while fewer steps than batch_events_ are there.
  const std::uint64_t capacity = batch_events_ + header.max_segment_events;
  const std::uint64_t objects = header.max_live_objects + capacity;
  if (objects > kMostObjects) refuse(context, "more objects are live than a replay can hold");
  steps_ = own<Step>(context, capacity);
  if (timed) ticks_ = own<std::uint64_t>(context, capacity);
  taken_ = own<trace::Object>(context, header.max_segment_events);
  ranges_ = own<Range>(context, capacity);
  if (header.version >= 2) writes_ = own<Write>(context, capacity);
  thread_count_ = static_cast<std::uint32_t>(header.threads);
  threads_ = own<ThreadPlan>(context, thread_count_);
  busy_ = own<std::uint32_t>(context, thread_count_);
  made_before_ = own<std::uint64_t>(context, thread_count_);
  made_ = own<std::uint64_t>(context, thread_count_);
  blocks_ = own<std::atomic<void*>>(context, objects);
  objects_.set_up(own<ObjectTable::Entry>(context, ObjectTable::table_entries(objects)),
                  own<SlotInfo>(context, objects), static_cast<std::uint32_t>(objects));
  start_again();
}

void Decoder::start_again() {
  busy_count_ = write_count_ = 0;
  objects_.clear();
  for (std::uint32_t thread = 0; thread < thread_count_; ++thread) {
    threads_[thread] = {kNone, kNone, kNoSlot, thread == 0 ? Life::kLive : Life::kNotYet, false, false};
    made_before_[thread] = made_[thread] = 0;
  }
  begin_batch();
}

void Decoder::begin_batch() {
  note_written();
  objects_.end_batch();
  for (std::uint32_t place = 0; place < busy_count_; ++place) {
    ThreadPlan& thread = threads_[busy_[place]];
    thread.first_range = thread.last_range = kNone;
    thread.busy = thread.fresh = false;
  }
  step_count_ = range_count_ = busy_count_ = 0;
  operations_ = 0;
}

// Not sooner: within the batch an object has the pages that its threads have seen to.
void Decoder::note_written() {
  for (std::uint32_t place = 0; place < write_count_; ++place)
    objects_.write(writes_[place].slot, writes_[place].pages);
  write_count_ = 0;
}

void Decoder::make_busy(std::uint32_t thread) {
  if (threads_[thread].busy) return;
  threads_[thread].busy = true;
  busy_[busy_count_++] = thread;
}

void Decoder::read_part(Context& context, trace::Part& part) {
  const std::uint32_t number = part.thread();
  ThreadPlan& thread = threads_[number];
  if (thread.life == Life::kEnded) refuse(context, "a thread goes on that has ended");
  make_busy(number);
  Range& range = ranges_[range_count_];
  range = {step_count_, static_cast<std::uint32_t>(part.left()), kNone};
  if (thread.last_range == kNone)
    thread.first_range = range_count_;
  else
    ranges_[thread.last_range].next = range_count_;
  thread.last_range = range_count_++;
  trace::Event event{};
  while (part.left() > 0) {
    if (const trace::Error error = part.next(event)) refuse(context, error);
    Step& step = steps_[step_count_];
    step = {event.size,
            0,
            kNoSlot,
            kNoSlot,
            event.written_pages,
            event.op,
            event.log2_alignment,
            event.written_pages != trace::kNotTold};
    if (ticks_ != nullptr) ticks_[step_count_] = event.tick;
    if (trace::yields(event.op)) {
      step.gives = objects_.add(event.gives, event.size, event.written_pages, event.op, event.log2_alignment);
      if (step.gives == kNoSlot) refuse(context, "more objects are live than the header says");
      blocks_[step.gives].store(nullptr, std::memory_order_relaxed);
      made_[number] = event.gives.serial + 1;
    }
    if (trace::refers(event.op)) taken_[step_count_ - segment_first_step_] = event.takes;
    if (event.op == trace::Op::kSpawn) {
      ThreadPlan& started = threads_[event.spawned];
      // Threads are numbered as they start, so none can have been started by a later one.
      if (event.spawned <= number || started.life != Life::kNotYet)
        refuse(context, "a thread is started twice, or by one that started after it");
      started.life = Life::kLive;
      started.fresh = true;
      make_busy(event.spawned);
      step.takes = event.spawned;
    } else if (event.op == trace::Op::kEnd) {
      thread.life = Life::kEnded;
    } else if (event.op != trace::Op::kRefused && event.op != trace::Op::kWrite) {
      ++operations_;
    }
    ++step_count_;
  }
}

void Decoder::add_segment(Context& context, std::uint64_t number) {
  segment_first_step_ = step_count_;
  const std::uint32_t first_range = range_count_;
  trace::SegmentParts parts(source_->file(), number, source_->read(context, number), made_before_);
  while (parts.left() > 0) {
    trace::Part part;
    if (const trace::Error error = parts.next(part)) refuse(context, error);
    read_part(context, part);
  }
  if (const trace::Error error = parts.finish()) refuse(context, error);
  for (std::uint32_t place = 0; place < busy_count_; ++place) {
    const std::uint32_t thread = busy_[place];
    if (threads_[thread].life == Life::kNotYet) refuse(context, "a thread is at work that was never started");
    made_before_[thread] = made_[thread];
  }
  const std::uint64_t most_unwritten_bytes = objects_.live_unwritten_bytes();  // nothing is given up yet
  // Once all that the segment yields is known: an object may be given up by a thread before the one that made
  // it.
  for (std::uint32_t range = first_range; range < range_count_; ++range)
    for (std::uint32_t at = ranges_[range].first; at < ranges_[range].first + ranges_[range].count; ++at) {
      Step& step = steps_[at];
      if (step.op == trace::Op::kWrite) {
        // It may have been given up at the same time.
        const std::uint32_t slot = objects_.find(taken_[at - segment_first_step_]);
        if (slot != kNoSlot) writes_[write_count_++] = {slot, step.written_pages};
      }
      if (!trace::gives_up(step.op)) continue;
      step.takes = objects_.give_up(taken_[at - segment_first_step_]);
      if (step.takes == kNoSlot) refuse(context, "it frees an object that is not live");
      step.freed = objects_.slot(step.takes).bytes;
      if (step.op == trace::Op::kRealloc)
        step.is_told |= objects_.slot(step.takes).written_pages != trace::kNotTold;
    }
  const trace::SegmentEntry& entry = source_->file().segment(number);
  if (objects_.live_bytes() != entry.end_live_bytes || objects_.live_objects() != entry.end_live_objects)
    refuse(context, "the live bytes at the end of a segment are not those of its index");
  // At the peak not all that is not written to need have lived, and at the end it does.
  if (entry.peak_live_bytes > most_unwritten_bytes + peak_written_bytes_)
    peak_written_bytes_ = entry.peak_live_bytes - most_unwritten_bytes;
  const std::uint64_t end_written_bytes = objects_.live_bytes() - objects_.live_unwritten_bytes();
  if (end_written_bytes > peak_written_bytes_) peak_written_bytes_ = end_written_bytes;
}

void Decoder::list_live() {
  for (std::uint32_t slot = 0; slot < objects_.slots_used(); ++slot) {
    SlotInfo& info = objects_.slot(slot);
    if (!info.live) continue;
    ThreadPlan& owner = threads_[threads_[info.owner].life == Life::kLive ? info.owner : 0];
    info.next = owner.first_live;
    owner.first_live = slot;
  }
}

}  // namespace heapmark::replay
