// The threads of the replay: a real thread for each recorded one, started by the thread that started it and
// ended where it ended, so that thread caches and arenas live and die as in the program. Between batches all
// sleep but the first, which is the process's own and stands for the recorded thread 0.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "workloads/context.h"
#include "workloads/trace/batch.h"

namespace heapmark::replay {

enum class Touch : std::uint8_t { kPages, kAll, kNothing };

class Crew {
 public:
  // prepare() only. `tick_ns`: of the recorded pace; 0: as fast as it can.
  void prepare(Context& context, Decoder& decoder, const trace::Header& header, Touch touch,
               std::uint64_t tick_ns);

  // Where a part of a trace begins: starts the threads that live there, and each asks for its live objects.
  void set_up_live();
  // The events to come are at the recorded pace from now on, which is `tick`.
  void begin_pace(std::uint64_t tick);
  // Does the batch; returns when every thread has done its share and those that end are gone.
  void run_batch();
  // At the recorded pace: `look` is called by the first thread about every so often of the recorded time,
  // while the others work. `ns`: recorded time.
  using Look = void (*)(std::uint64_t ns);
  void look_every(std::uint64_t ns, Look look);
  // The first thread frees all that is live; the others end.
  void free_live();
  void end_all();

  // Requested and not freed, by what was really done.
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }

 private:
  struct alignas(64) Worker {
    std::atomic<std::uint32_t> batches;  // handed to it; it sleeps on it
    std::uint32_t number, stack;
    pthread_t handle;  // written by the thread itself
    Crew* crew;
    std::int64_t live_change;  // of the batch
  };

  static void* run_thread(void* worker);
  void do_share(Worker& me);
  void do_range(Worker& me, const Range& range);
  void ask_for_live(Worker& me);
  void wait_until(const Worker& me, std::uint64_t tick);
  void look_if_due(std::uint64_t own_ns);
  [[nodiscard]] void* wait_for_block(std::uint32_t slot) const;
  void request(const Step& step) const;
  void resize_block(const Step& step) const;
  void accept(const Step& step, void* block, std::uint64_t kept) const;
  void touch_told(const Step& step, char* block) const;
  void touch_writes() const;
  void give_back(std::uint32_t slot, void* block, std::uint64_t bytes) const;
  void start(std::uint32_t number);
  std::uint32_t take_stack();
  void join(std::uint32_t number);
  void join_ended();
  void hand_out(std::uint32_t number, bool is_there);
  void share_done();
  void wait_for_all();

  class Locked;  // the lists of stacks and of ended threads

  Context* context_ = nullptr;
  Decoder* decoder_ = nullptr;
  Worker* workers_ = nullptr;
  char* stacks_ = nullptr;
  std::uint32_t *free_stacks_ = nullptr, *ended_ = nullptr;
  std::uint32_t free_stack_count_ = 0, ended_count_ = 0, thread_count_ = 0;
  std::atomic<bool> locked_{false};
  std::atomic<std::uint32_t> busy_{0};  // threads with work to do; the first sleeps on it
  bool setting_up_ = false, ending_ = false, checking_ = false;
  Touch touch_ = Touch::kPages;
  std::uint64_t tick_ns_ = 0, pace_tick_ = 0, pace_ns_ = 0;
  Look look_ = nullptr;
  std::uint64_t look_every_ns_ = 0, looked_ns_ = 0;
  std::uint64_t live_bytes_ = 0;
};

}  // namespace heapmark::replay
