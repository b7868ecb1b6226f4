// A heap over the fake kernel that is given random work of all kinds: objects, blocks, mappings, aligned
// ones, resizes, trims. It knows what every block must hold and how many bytes live, and judges after each
// step; which calls the kernel refuses is decided above (refusals_test, heap_fuzz). One heap at a time: the
// fake kernel is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "allocators/brkmmap/heap.h"
#include "allocators/brkmmap/tests/fake_os.h"

namespace brkmmap {

// What is wrong, or null where all is well.
using Wrong = const char*;

class TrialHeap {
 public:
  // Also empties the fake kernel.
  explicit TrialHeap(std::uint64_t seed);

  // One random operation. Null is no answer where the kernel refused nothing meanwhile.
  [[nodiscard]] Wrong step();
  // live + free + kept + metadata == mapped, and mapped is what the kernel says.
  [[nodiscard]] Wrong check_balance() const;
  // Everything that lives is as it was written, and is then freed, in random order.
  [[nodiscard]] Wrong free_all();
  // After the kernel has recovered: all is freed, a second passes, the program makes some calls; then at most
  // 2 MiB are resident beside the tables. Nothing may live.
  [[nodiscard]] Wrong check_given_back();

  [[nodiscard]] Heap& heap() noexcept { return *heap_; }
  [[nodiscard]] std::size_t live_count() const noexcept { return items_.size(); }

  // How many kernel calls frees made so far, in all and by the one that made most.
  [[nodiscard]] std::size_t frees() const noexcept { return frees_; }
  [[nodiscard]] std::size_t calls_of_frees() const noexcept { return calls_of_frees_; }
  [[nodiscard]] std::size_t most_calls_of_a_free() const noexcept { return most_calls_of_a_free_; }
  void forget_calls() noexcept { frees_ = calls_of_frees_ = most_calls_of_a_free_ = 0; }

 private:
  enum class Kind { kObject, kBlock, kMapping };
  struct Item {
    unsigned char* memory;
    std::size_t bytes;  // that it takes: all of them are written
    Kind kind;
    std::uint64_t mark;
  };

  Wrong ask();
  Wrong ask_objects();
  Wrong ask_aligned_object();
  Wrong ask_block();
  Wrong ask_mapping();
  Wrong resize(Item& item);
  Wrong give_back(std::size_t at);
  Wrong clean_up();
  Wrong refused(std::size_t refusals_before) const;
  Wrong enter(void* memory, std::size_t bytes, std::size_t alignment, Kind kind, std::size_t dirty_bytes);
  Span* span_of(const Item& item) const noexcept;

  std::unique_ptr<PageMap> map_ = std::make_unique<PageMap>();
  std::unique_ptr<Heap> heap_ = std::make_unique<Heap>(*map_);
  std::mt19937_64 random_;
  std::vector<Item> items_;
  std::size_t live_bytes_ = 0;
  std::uint64_t marks_ = 0;
  std::size_t frees_ = 0, calls_of_frees_ = 0, most_calls_of_a_free_ = 0;
};

}  // namespace brkmmap
