// One thread of churn: a fixed sequence of requests and frees from its own random stream, so that the same
// seed does the same work on every allocator whatever the timing. Blocks may be handed to the next thread,
// which frees them. Knows sizes and slots; the phases and the figures are churn.cc's.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "workloads/blocks.h"
#include "workloads/context.h"
#include "workloads/cut_point.h"
#include "workloads/fragmentation.h"
#include "workloads/rng.h"
#include "workloads/size_source.h"

namespace heapmark::churn {

// Blocks on their way to the thread that frees them: one writer, one reader, no lock.
class Mailbox {
 public:
  static constexpr std::size_t kBlocks = 256;
  bool put(const Block& block);
  bool take(Block& block);

 private:
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
  alignas(64) Block blocks_[kBlocks];
};

// What thread 0 saw along the way, for the measures at the end.
struct SampleLog {
  HeapSample* samples;
  std::size_t count, capacity;
};

struct Settings {
  SizeSource sizes;
  std::uint64_t live_bytes;  // that each thread aims at
  std::uint64_t operations;  // of each thread, after the fill
  std::uint64_t slots;       // of each thread
  std::uint32_t phases;
  std::uint32_t threads;
  double remote_free_share;
  std::uint64_t sample_every;  // operations of thread 0; 0: never
  SampleLog* log;
};

class Worker {
 public:
  // `slots`: settings.slots of them, zeroed. `outgoing` is null where nothing is handed over.
  void set_up(Context& context, const Settings& settings, std::uint32_t number, Block* slots,
              Mailbox* incoming, Mailbox* outgoing);

  void fill();
  // Thread 0 samples: it adds up the live bytes of `all`. At the end of a slice all stop at `cut_point`.
  void work(Worker* all, CutPoint& cut_point);
  void drain();  // frees what was handed over and not yet taken
  void free_own_blocks();

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t live_bytes() const {
    return asked_bytes_.load(std::memory_order_relaxed) - freed_bytes_.load(std::memory_order_relaxed);
  }

 private:
  void take_block(Block& slot, std::uint32_t phase);
  void give_back(Block& block);
  void part_with(Block& slot);
  void maybe_sample(Worker* all, std::uint64_t done);

  Context* context_ = nullptr;
  const Settings* settings_ = nullptr;
  Rng random_{0, 0};
  std::uint32_t number_ = 0;
  Block* slots_ = nullptr;
  Mailbox* incoming_ = nullptr;
  Mailbox* outgoing_ = nullptr;
  std::uint64_t own_live_bytes_ =
      0;  // in own slots: decides what comes next, so it must not depend on timing
  std::uint64_t operations_ = 0;
  std::uint64_t next_identity_ = 0;
  // Each written by this thread alone; a block that another thread frees counts there.
  alignas(64) std::atomic<std::uint64_t> asked_bytes_{0};
  std::atomic<std::uint64_t> freed_bytes_{0};
};

}  // namespace heapmark::churn
