// See churn_thread.h.
#include "workloads/standard/churn_thread.h"

#include <sched.h>

#include "workloads/blocks.h"
#include "workloads/text.h"

namespace heapmark::churn {

bool Mailbox::put(const Block& block) {
  const std::uint64_t at = written_.load(std::memory_order_relaxed);
  if (at - read_.load(std::memory_order_acquire) == kBlocks) return false;
  blocks_[at % kBlocks] = block;
  written_.store(at + 1, std::memory_order_release);
  return true;
}

bool Mailbox::take(Block& block) {
  const std::uint64_t at = read_.load(std::memory_order_relaxed);
  if (at == written_.load(std::memory_order_acquire)) return false;
  block = blocks_[at % kBlocks];
  read_.store(at + 1, std::memory_order_release);
  return true;
}

void Worker::set_up(Context& context, const Settings& settings, std::uint32_t number, Block* slots,
                    Mailbox* incoming, Mailbox* outgoing) {
  context_ = &context;
  settings_ = &settings;
  random_ = Rng(context.seed(), number);
  number_ = number;
  slots_ = slots;
  incoming_ = incoming;
  outgoing_ = outgoing;
  next_identity_ = std::uint64_t{number} << 48;
}

void Worker::take_block(Block& slot, std::uint32_t phase) {
  const std::uint64_t bytes = settings_->sizes.draw_drifting(phase, settings_->phases, random_);
  void* const memory = ask(bytes);
  if (memory == nullptr)
    context_->fail(heapmark::Outcome::kOutOfMemory, "a request of the churn was refused");
  slot = {memory, bytes, next_identity_++};
  if (context_->checking())
    fill_pattern(memory, bytes, slot.identity);
  else
    touch_pages(memory, bytes);
  own_live_bytes_ += bytes;
  asked_bytes_.store(asked_bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  ++operations_;
}

void Worker::give_back(Block& block) {
  if (context_->checking()) verify_pattern(*context_, block.memory, block.bytes, block.identity);
  free_block(block.memory, block.bytes);
  freed_bytes_.store(freed_bytes_.load(std::memory_order_relaxed) + block.bytes, std::memory_order_relaxed);
  ++operations_;
}

void Worker::part_with(Block& slot) {
  own_live_bytes_ -= slot.bytes;
  if (outgoing_ != nullptr && random_.chance(settings_->remote_free_share)) {
    while (!outgoing_->put(slot)) {
      // The next thread is behind: free what the one before handed over, so that a ring of full boxes moves
      // on.
      Block block;
      if (incoming_->take(block))
        give_back(block);
      else
        sched_yield();
    }
  } else {
    give_back(slot);
  }
  slot.memory = nullptr;
}

void Worker::fill() {
  for (std::uint64_t at = 0; at < settings_->slots && own_live_bytes_ < settings_->live_bytes; ++at)
    take_block(slots_[at], 0);
}

void Worker::maybe_sample(Worker* all, std::uint64_t done) {
  if (number_ != 0 || settings_->sample_every == 0 || done % settings_->sample_every != 0) return;
  std::uint64_t live = 0;
  for (std::uint32_t at = 0; at < settings_->threads; ++at) live += all[at].live_bytes();
  const std::uint64_t operation = done * settings_->threads;
  const Observation seen = context_->sample(operation, live);
  SampleLog& log = *settings_->log;
  if (log.count == log.capacity) return;
  log.samples[log.count++] = {static_cast<double>(operation), static_cast<double>(live),
                              static_cast<double>(seen.rss_bytes)};
}

void Worker::work(Worker* all, CutPoint& cut_point) {
  std::uint32_t cuts = 0;
  const std::uint64_t an_phase = settings_->operations / settings_->phases + 1;
  // Counted by own steps, a request or a parting: operations_ also counts what others hand over.
  for (std::uint64_t done = 0; done < settings_->operations; ++done) {
    cut_point.pass(*context_, done, number_ == 0, cuts, [this] { drain(); });
    const auto phase = static_cast<std::uint32_t>(done / an_phase);
    if (number_ == 0 && done % an_phase == 0) {
      Text<16> name;
      context_->phase(name.add("phase ").add(phase + 1).c_str());
    }
    const bool wants_more = own_live_bytes_ < settings_->live_bytes;
    Block* slot = &slots_[random_.below(settings_->slots)];
    while ((slot->memory == nullptr) != wants_more) slot = &slots_[random_.below(settings_->slots)];
    if (wants_more)
      take_block(*slot, phase);
    else
      part_with(*slot);
    if (Block block; incoming_ != nullptr && incoming_->take(block)) give_back(block);
    maybe_sample(all, done);
  }
}

void Worker::free_own_blocks() {
  for (std::uint64_t at = 0; at < settings_->slots; ++at) {
    if (slots_[at].memory == nullptr) continue;
    own_live_bytes_ -= slots_[at].bytes;
    give_back(slots_[at]);
    slots_[at].memory = nullptr;
  }
}

void Worker::drain() {
  for (Block block; incoming_ != nullptr && incoming_->take(block);) give_back(block);
}

}  // namespace heapmark::churn
