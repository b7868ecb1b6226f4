// See crew.h. Here: the threads' lives and how the work is handed out to them; crew_blocks.cc does a step.
#include "workloads/trace/crew.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "workloads/threads.h"

namespace heapmark::replay {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr std::size_t kStackBytes = 2048 * 1024;  // what the sanitizer keeps of a thread lies in it
#else
constexpr std::size_t kStackBytes = 128 * 1024;  // the thread's TLS lies in it too
#endif
constexpr std::uint32_t kLibraryStack = kNone;  // the C library's: more threads live here than were recorded
constexpr int kStackYields = 2000;
constexpr std::uint64_t kLeastWaitNs = 20'000;  // shorter ones than a sleep takes are not waited for

void sleep_on(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void sleep_for(std::uint64_t ns) {
  const timespec rest{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  nanosleep(&rest, nullptr);
}

// The clock that stands still with the process's, unlike the kernel's own.
std::uint64_t own_clock_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

class Crew::Locked {
 public:
  explicit Locked(Crew& crew) : locked_(crew.locked_) {
    while (locked_.exchange(true, std::memory_order_acquire)) sched_yield();
  }
  ~Locked() { locked_.store(false, std::memory_order_release); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  std::atomic<bool>& locked_;
};

void Crew::prepare(Context& context, Decoder& decoder, const trace::Header& header, Touch touch,
                   std::uint64_t tick_ns) {
  context_ = &context;
  decoder_ = &decoder;
  touch_ = touch;
  tick_ns_ = tick_ns;
  checking_ = context.checking();
  thread_count_ = static_cast<std::uint32_t>(header.threads);
  workers_ = static_cast<Worker*>(context.own_memory(sizeof(Worker) * thread_count_));
  for (std::uint32_t number = 0; number < thread_count_; ++number) {
    workers_[number].number = number;
    workers_[number].crew = this;
  }
  free_stack_count_ = static_cast<std::uint32_t>(header.max_live_threads) - 1;
  if (thread_count_ == 1) return;
  const std::uint64_t stacks = header.max_live_threads;
  stacks_ = static_cast<char*>(context.own_memory(kStackBytes * stacks));
  free_stacks_ = static_cast<std::uint32_t*>(context.own_memory(sizeof(std::uint32_t) * stacks));
  ended_ = static_cast<std::uint32_t*>(context.own_memory(sizeof(std::uint32_t) * thread_count_));
  for (std::uint32_t stack = 0; stack < free_stack_count_; ++stack) free_stacks_[stack] = stack;
}

// The threads' lives.

std::uint32_t Crew::take_stack() {
  for (int yields = 0; yields < kStackYields; ++yields) {
    std::uint32_t ended = kNone;
    {
      const Locked locked(*this);
      if (free_stack_count_ > 0) return free_stacks_[--free_stack_count_];
      if (ended_count_ > 0) ended = ended_[--ended_count_];
    }
    if (ended != kNone)
      join(ended);
    else
      sched_yield();
  }
  return kLibraryStack;
}

void Crew::start(std::uint32_t number) {
  Worker& worker = workers_[number];
  worker.stack = take_stack();
  pthread_t handle{};
  bool started = false;
  if (worker.stack == kLibraryStack) {
    pthread_attr_t attributes;
    started = pthread_attr_init(&attributes) == 0 &&
              pthread_attr_setstacksize(&attributes, kStackBytes) == 0 &&
              pthread_create(&handle, &attributes, run_thread, &worker) == 0;
  } else {
    started = start_thread(&handle, stacks_ + kStackBytes * worker.stack, run_thread, &worker, kStackBytes);
  }
  if (!started) context_->fail(Outcome::kRefused, "a thread of the trace could not be started");
}

void Crew::join(std::uint32_t number) {
  const Worker& worker = workers_[number];
  pthread_join(worker.handle, nullptr);
  if (worker.stack == kLibraryStack) return;
  const Locked locked(*this);
  free_stacks_[free_stack_count_++] = worker.stack;
}

void Crew::join_ended() {
  while (ended_count_ > 0) join(ended_[--ended_count_]);
}

void* Crew::run_thread(void* worker) {
  Worker& me = *static_cast<Worker*>(worker);
  Crew& crew = *me.crew;
  me.handle = pthread_self();
  for (std::uint32_t done = 0;; ++done) {
    while (me.batches.load(std::memory_order_acquire) == done) sleep_on(me.batches, done);
    if (crew.ending_) return nullptr;
    bool ends = false;
    if (crew.setting_up_) {
      crew.ask_for_live(me);
    } else {
      crew.do_share(me);
      ends = crew.decoder_->thread(me.number).life == Life::kEnded;
    }
    if (ends) {
      const Locked locked(crew);
      crew.ended_[crew.ended_count_++] = me.number;
    }
    crew.share_done();
    if (ends) return nullptr;
  }
}

void Crew::share_done() {
  if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) wake(busy_);
}

void Crew::wait_for_all() {
  for (std::uint32_t left = 0; (left = busy_.load(std::memory_order_acquire)) != 0;) {
    if (look_ == nullptr || setting_up_) {
      sleep_on(busy_, left);
      continue;
    }
    look_if_due(own_clock_ns());
    sleep_for(look_every_ns_);
  }
}

void Crew::hand_out(std::uint32_t number, bool is_there) {
  Worker& worker = workers_[number];
  worker.batches.store(is_there ? worker.batches.load() + 1 : 1, std::memory_order_release);
  if (is_there) wake(worker.batches);
}

// The work.

void Crew::look_every(std::uint64_t ns, Look look) {
  look_every_ns_ = ns;
  look_ = look;
}

void Crew::look_if_due(std::uint64_t own_ns) {
  if (look_ == nullptr || own_ns < looked_ns_ + look_every_ns_) return;
  looked_ns_ = own_ns;
  look_(pace_tick_ * tick_ns_ + own_ns - pace_ns_);
}

void Crew::wait_until(const Worker& me, std::uint64_t tick) {
  const std::uint64_t wanted = pace_ns_ + (tick - pace_tick_) * tick_ns_;
  for (;;) {
    const std::uint64_t now = own_clock_ns();
    if (me.number == 0) look_if_due(now);
    if (now + kLeastWaitNs >= wanted) return;
    std::uint64_t rest = wanted - now;
    if (me.number == 0 && look_ != nullptr && rest > look_every_ns_) rest = look_every_ns_;
    sleep_for(rest);
  }
}

void Crew::do_range(Worker& me, const Range& range) {
  const Step* const steps = decoder_->steps();
  std::int64_t change = 0;
  for (std::uint32_t at = range.first; at < range.first + range.count; ++at) {
    const Step& step = steps[at];
    if (tick_ns_ != 0) wait_until(me, decoder_->ticks()[at]);
    switch (step.op) {
      case trace::Op::kFree:
        give_back(step.takes, wait_for_block(step.takes), step.freed);
        change -= static_cast<std::int64_t>(step.freed);
        break;
      case trace::Op::kRealloc:
        resize_block(step);
        change += static_cast<std::int64_t>(step.size - step.freed);
        break;
      case trace::Op::kSpawn:
        start(step.takes);
        break;
      case trace::Op::kEnd:
      case trace::Op::kRefused:
      case trace::Op::kWrite:
        break;
      default:
        request(step);
        change += static_cast<std::int64_t>(step.size);
    }
  }
  me.live_change += change;
}

void Crew::do_share(Worker& me) {
  for (std::uint32_t range = decoder_->thread(me.number).first_range; range != kNone;
       range = decoder_->range(range).next)
    do_range(me, decoder_->range(range));
}

void Crew::run_batch() {
  std::uint32_t others = 0;
  for (std::uint32_t place = 0; place < decoder_->busy_count(); ++place) others += decoder_->busy(place) != 0;
  busy_.store(others, std::memory_order_release);
  // Those that start in the batch first: whoever is awake may start them at once, and nobody wakes them.
  for (const bool is_there : {false, true})
    for (std::uint32_t place = 0; place < decoder_->busy_count(); ++place)
      if (const std::uint32_t number = decoder_->busy(place);
          number != 0 && decoder_->thread(number).fresh != is_there)
        hand_out(number, is_there);
  do_share(workers_[0]);
  wait_for_all();
  join_ended();
  touch_writes();
  for (std::uint32_t place = 0; place < decoder_->busy_count(); ++place) {
    Worker& worker = workers_[decoder_->busy(place)];
    live_bytes_ += static_cast<std::uint64_t>(worker.live_change);
    worker.live_change = 0;
  }
}

void Crew::ask_for_live(Worker& me) {
  for (std::uint32_t slot = decoder_->thread(me.number).first_live; slot != kNoSlot;
       slot = decoder_->objects().slot(slot).next) {
    const SlotInfo& info = decoder_->objects().slot(slot);
    // As a request, however it was made.
    const trace::Op op = info.op == trace::Op::kRealloc ? trace::Op::kMalloc : info.op;
    request({info.bytes, 0, slot, kNoSlot, info.written_pages, op, info.log2_alignment,
             info.written_pages != trace::kNotTold});
    me.live_change += static_cast<std::int64_t>(info.bytes);
  }
}

void Crew::set_up_live() {
  setting_up_ = true;
  std::uint32_t others = 0;
  for (std::uint32_t number = 1; number < thread_count_; ++number)
    others += decoder_->thread(number).life == Life::kLive;
  busy_.store(others, std::memory_order_release);
  for (std::uint32_t number = 1; number < thread_count_; ++number)
    if (decoder_->thread(number).life == Life::kLive) {
      hand_out(number, false);
      start(number);
    }
  ask_for_live(workers_[0]);
  wait_for_all();
  setting_up_ = false;
  for (std::uint32_t number = 0; number < thread_count_; ++number) {
    live_bytes_ += static_cast<std::uint64_t>(workers_[number].live_change);
    workers_[number].live_change = 0;
  }
}

void Crew::begin_pace(std::uint64_t tick) {
  pace_tick_ = tick;
  pace_ns_ = own_clock_ns();
}

void Crew::free_live() {
  const ObjectTable& objects = decoder_->objects();
  for (std::uint32_t slot = 0; slot < objects.slots_used(); ++slot) {
    const SlotInfo& info = objects.slot(slot);
    if (!info.live) continue;
    give_back(slot, decoder_->blocks()[slot].load(std::memory_order_relaxed), info.bytes);
    live_bytes_ -= info.bytes;
  }
}

void Crew::end_all() {
  ending_ = true;
  for (std::uint32_t number = 1; number < thread_count_; ++number) {
    if (decoder_->thread(number).life != Life::kLive) continue;
    hand_out(number, true);
    join(number);
  }
  ending_ = false;
}

}  // namespace heapmark::replay
