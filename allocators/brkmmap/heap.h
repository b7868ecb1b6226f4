// The one heap of the process: the layers put together, in the order in which they stand on each other. Tests
// make heaps of their own.
#pragma once

#include "allocators/brkmmap/central.h"
#include "allocators/brkmmap/mmap_source.h"

namespace brkmmap {

struct Heap {
  constexpr Heap() = default;

  Tunables tunables;
  Kernel kernel;
  Lock lock;  // of metadata, map, pages
  Metadata metadata{kernel};
  PageMap map{metadata};
  PageHeap pages{kernel, metadata, map, tunables};
  MmapSource mappings{kernel, metadata, map, pages, lock};
  Central central[kClasses];
  std::atomic<std::size_t> block_bytes{0};  // kBlock spans handed out
  std::atomic<std::uint64_t> failed_requests{0};

  Object* fetch(std::size_t index, std::size_t count, std::size_t* taken) noexcept {
    return central[index].fetch(index, count, taken, pages, map, lock);
  }
  void give_back(std::size_t index, Object* list) noexcept {
    central[index].give_back(index, list, pages, map, lock);
  }
};

extern constinit Heap heap;

}  // namespace brkmmap
