// See crew.h. Here: what a thread does with the blocks of a step, and what is written to of them.
#include <sched.h>

#include <cstring>

#include "workloads/blocks.h"
#include "workloads/calls.h"
#include "workloads/trace/crew.h"

namespace heapmark::replay {
namespace {

constexpr int kSpins = 200;  // before the CPU is given to another thread

// What stands in a slot for an object of no bytes of which the allocator gave null.
char nothing;

std::size_t alignment_of(std::uint8_t log2) {
  const std::size_t alignment = std::size_t{1} << log2;
  return alignment < sizeof(void*) ? sizeof(void*) : alignment;  // as posix_memalign wants it
}

// A byte of each page from the one at `at` on that holds any of the block's first `written` bytes.
void touch_from(void* block, std::uint64_t bytes, std::uint64_t at, std::uint64_t written) {
  if (at >= written) return;
  char* const first = static_cast<char*>(block);
  if (written == bytes) return touch_pages(first + at, written - at);
  for (; at < written; at += trace::kPageBytes) static_cast<volatile char*>(first)[at] = 1;
}

}  // namespace

void* Crew::wait_for_block(std::uint32_t slot) const {
  const std::atomic<void*>& place = decoder_->blocks()[slot];
  for (int spins = 0;; ++spins) {
    if (void* const block = place.load(std::memory_order_acquire)) return block;
    if (spins >= kSpins) sched_yield();
  }
}

// What the program wrote to at first, as the trace tells it; what it wrote to of the object that is given up
// is there.
void Crew::touch_told(const Step& step, char* block) const {
  std::uint64_t at = 0;
  if (step.op == trace::Op::kRealloc)
    at = trace::written_bytes(step.freed, decoder_->objects().slot(step.takes).written_pages);
  touch_from(block, step.size, at, trace::written_bytes(step.size, step.written_pages));
}

// What the batch says of objects that still live, while all threads but this one sleep.
void Crew::touch_writes() const {
  if (touch_ != Touch::kPages || checking_) return;
  for (std::uint32_t place = 0; place < decoder_->write_count(); ++place) {
    const Write& write = decoder_->writes()[place];
    const SlotInfo& info = decoder_->objects().slot(write.slot);
    void* const block = decoder_->blocks()[write.slot].load(std::memory_order_relaxed);
    if (info.live && info.written_pages != trace::kNotTold && block != &nothing)
      touch_from(block, info.bytes, trace::written_bytes(info.bytes, info.written_pages),
                 trace::written_bytes(info.bytes, write.pages));
  }
}

// The first `kept` bytes are those of the object that is given up.
void Crew::accept(const Step& step, void* block, std::uint64_t kept) const {
  const std::uint64_t bytes = step.size;
  if (block == nullptr && bytes > 0)
    context_->fail(Outcome::kOutOfMemory, "a request that the recorded program was given is refused here");
  if (bytes > 0 && checking_)
    fill_pattern(block, bytes, step.gives);
  else if (step.is_told && touch_ == Touch::kPages)
    touch_told(step, static_cast<char*>(block));
  else if (bytes > kept && touch_ == Touch::kPages)
    touch_pages(static_cast<char*>(block) + kept, bytes - kept);
  else if (bytes > kept && touch_ == Touch::kAll)
    std::memset(static_cast<char*>(block) + kept, 1, bytes - kept);
  decoder_->blocks()[step.gives].store(block == nullptr ? &nothing : block, std::memory_order_release);
}

void Crew::request(const Step& step) const {
  void* block = nullptr;
  switch (step.op) {
    case trace::Op::kCalloc:
      block = ask_zeroed(step.size);
      if (checking_ && block != nullptr)
        for (std::uint64_t at = 0; at < step.size; ++at)
          if (static_cast<const char*>(block)[at] != 0)
            context_->fail(Outcome::kCheckFailed, "calloc gave memory that is not zero");
      break;
    case trace::Op::kAligned:
      block = ask_aligned(alignment_of(step.log2_alignment), step.size);
      if (checking_ && reinterpret_cast<std::uintptr_t>(block) % alignment_of(step.log2_alignment) != 0)
        context_->fail(Outcome::kCheckFailed, "posix_memalign gave a block that is not aligned as asked for");
      break;
    default:
      block = ask(step.size);
  }
  accept(step, block, 0);
}

void Crew::resize_block(const Step& step) const {
  void* old = wait_for_block(step.takes);
  if (old == &nothing) old = nullptr;
  if (checking_ && old != nullptr) verify_pattern(*context_, old, step.freed, step.takes);
  void* const block = resize(old, step.size);
  const std::uint64_t kept = step.freed < step.size ? step.freed : step.size;
  if (checking_ && block != nullptr) verify_pattern(*context_, block, kept, step.takes);
  accept(step, block, kept);
}

void Crew::give_back(std::uint32_t slot, void* block, std::uint64_t bytes) const {
  if (block == &nothing) block = nullptr;
  if (checking_ && block != nullptr) verify_pattern(*context_, block, bytes, slot);
  free_block(block, bytes);
}

}  // namespace heapmark::replay
