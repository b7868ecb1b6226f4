// libFuzzer's target: its bytes are decoded to operations, and the model judges each. One thread. It owns the
// code from bytes to operations; what is right is in model.h.
//
// By hand, from the build folder; the first goes on until it is stopped or finds something, and keeps that
// input as crash-...; the second runs such an input again:
//     LD_PRELOAD=$PWD/libbrkmmap.so ./heapmark-malloc-fuzz -max_len=4096 -len_control=0 CORPUS_FOLDER
//     LD_PRELOAD=$PWD/libbrkmmap.so ./heapmark-malloc-fuzz crash-...
// -len_control=0: long inputs from the start, for a heap has few states after ten operations. BRKMMAP_...
// variables (allocators/brkmmap/tunables.def) may be set as for any program; without LD_PRELOAD it tests
// glibc. The heap is one for the whole process and libFuzzer allocates from it too: where an input does not
// fail alone, run again with the seed that was printed (-seed=N) and an empty corpus. One process may hold
// kMostLive bytes and libFuzzer's own.
#include <malloc.h>
#include <unistd.h>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "allocators/brkmmap/brkmmap.h"
#include "allocators/tests/model/play.h"

using namespace heapmark::model;

// brkmmap itself carries no coverage instrumentation (it is what users preload). libFuzzer reads these
// counters as coverage: an input is kept when it makes brkmmap do a new number of things, or in a new state.
__attribute__((section("__libfuzzer_extra_counters"))) static std::uint8_t counters[512];

namespace {

constexpr std::size_t kSlots = 64, kMostLive = std::size_t{64} << 20;

// Reads numbers off the input; zeros after its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t bytes) : at_(data), end_(data + bytes) {}
  bool is_empty() const { return at_ == end_; }
  std::uint64_t byte() { return at_ == end_ ? 0 : *at_++; }

  // Three bytes: a power of two to 4 MiB, and up to the double in 256 steps, plus or minus a few bytes, for
  // errors live at the edges of classes and thresholds.
  std::size_t size() {
    const std::uint64_t power = std::uint64_t{1} << byte() % 23;
    const std::uint64_t size = power + power * byte() / 256;
    const auto nudge = static_cast<std::int64_t>(byte() % 32) - 16;
    return nudge < 0 && size <= static_cast<std::uint64_t>(-nudge) ? size
                                                                   : size + static_cast<std::uint64_t>(nudge);
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

[[noreturn]] void fail(Wrong what, std::uint64_t operation, const Figures& figures) {
  char line[200];
  const int length = std::snprintf(line, sizeof line, "operation %llu: %s\n",
                                   static_cast<unsigned long long>(operation), what);
  if (::write(STDERR_FILENO, line, static_cast<std::size_t>(length)) == length) figures.print();
  std::abort();  // libFuzzer then keeps the input
}

void mark(std::size_t row, std::uint64_t value) {
  const auto magnitude = static_cast<std::size_t>(std::bit_width(value));
  std::uint8_t& counter = counters[(row * 40 + (magnitude < 40 ? magnitude : 39)) % sizeof counters];
  if (counter < 255) ++counter;
}

// What brkmmap did since `before`, by magnitude.
void mark_events(const struct brkmmap_stats& before, const struct brkmmap_stats& now) {
  mark(0, now.brk_grows - before.brk_grows);
  mark(1, now.trims - before.trims);
  mark(2, now.purges - before.purges);
  mark(3, now.releases - before.releases);
  mark(4, now.mmaps - before.mmaps);
  mark(5, now.mremaps - before.mremaps);
  mark(6, now.trim_bytes - before.trim_bytes);
  mark(7, now.purge_bytes - before.purge_bytes);
  mark(8, now.release_bytes - before.release_bytes);
  mark(9, now.free_bytes);
  mark(10, now.cached_bytes);
}

struct Run {
  Player& player;
  const Model& model;
  Block (&slots)[kSlots];
  Input input;
  std::uint64_t number = 0;  // of the operation; the seed of its pattern

  Wrong fill(Block& slot, std::uint64_t kind) {
    const std::size_t bytes = kind == 15 ? 0 : input.size();
    if (model.usable_bytes() + bytes > kMostLive) return nullptr;
    switch (kind % 8) {
      case 0:
        return player.allocate_zeroed(slot, 1, bytes, number);
      case 1:
        return player.allocate_zeroed(slot, bytes / 7 + 1, 7, number);
      case 2:
        return player.allocate_aligned(slot, std::size_t{1} << input.byte() % 17, bytes, true, number);
      case 3:
        return player.allocate_aligned(slot, std::size_t{1} << input.byte() % 17, bytes, false, number);
      case 4:
        return player.reallocate(slot, bytes, number);
      default:
        return player.allocate(slot, bytes, number);
    }
  }

  Wrong change(Block& slot, std::uint64_t kind) {
    if (kind < 8) return player.release(slot);
    if (kind == 8) return player.look_at(slot);
    const std::size_t bytes = kind == 15 ? 0 : kind == 14 ? slot.bytes / 2 : input.size();
    if (model.usable_bytes() + bytes > kMostLive) return player.release(slot);
    return player.reallocate(slot, bytes, number);
  }

  // Frees every second slot, or all: holes, and a top that can be given back.
  Wrong release_many(std::size_t stride) {
    for (std::size_t at = 0; at < kSlots; at += stride)
      if (slots[at].memory != nullptr)
        if (const Wrong wrong = player.release(slots[at])) return wrong;
    return nullptr;
  }

  // Fills empty slots with blocks of one size: neighbours, as slabs and spans have them.
  Wrong fill_many() {
    const std::size_t bytes = input.size() % 100'000;
    for (Block& slot : slots)
      if (slot.memory == nullptr)
        if (const Wrong wrong = player.allocate(slot, bytes, ++number)) return wrong;
    return nullptr;
  }

  Wrong step() {
    const std::uint64_t what = input.byte();  // its low four bits choose within fill or change
    Block& slot = slots[input.byte() % kSlots];
    switch (what >> 4) {
      case 0:
        return release_many(1 + what % 4);
      case 1:
        return what % 2 == 0 ? fill_many() : nullptr;
      case 2:
        if (what % 4 == 0) malloc_trim(what % 8 == 0 ? 0 : 65536);
        return nullptr;
      default:
        return slot.memory == nullptr ? fill(slot, what % 16) : change(slot, what % 16);
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static Model model;
  static Player player(model);
  static Block slots[kSlots];
  const Figures figures(model);  // anew for each input: libFuzzer's own blocks come and go between them
  const struct brkmmap_stats before = figures.now();
  Run run{player, model, slots, Input(data, bytes)};
  for (; !run.input.is_empty(); ++run.number) {
    if (const Wrong wrong = run.step()) fail(wrong, run.number, figures);
    if (run.number % 64 == 63)
      if (const Wrong wrong = figures.check(0)) fail(wrong, run.number, figures);
  }
  if (const Wrong wrong = model.check_all()) fail(wrong, run.number, figures);
  if (const Wrong wrong = figures.check(0)) fail(wrong, run.number, figures);
  mark_events(before, figures.now());
  if (const Wrong wrong = run.release_many(1)) fail(wrong, run.number, figures);
  if (const Wrong wrong = figures.check(0)) fail(wrong, run.number, figures);
  return 0;
}
