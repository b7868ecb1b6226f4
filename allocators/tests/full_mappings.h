// A process that has nearly as many mappings as the kernel allows (vm.max_map_count): every munmap or
// mprotect that would split one is then refused with ENOMEM. Asks nothing of malloc.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>

namespace heapmark::process {

// Uses up the mappings that the kernel allows: a region whose every other page is protected differently.
class FullMappings {
 public:
  explicit FullMappings(std::size_t allowed)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), bytes_((allowed + 1000) * 2 * page_) {
    region_ = mmap(nullptr, bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region_ == MAP_FAILED) return;
    for (std::size_t at = page_; at + page_ < bytes_ && !full_; at += 2 * page_) {
      full_ = mprotect(static_cast<char*>(region_) + at, page_, PROT_READ) != 0;
      if (!full_) last_ = at;
    }
  }
  FullMappings(const FullMappings&) = delete;
  FullMappings& operator=(const FullMappings&) = delete;
  ~FullMappings() { release(); }

  [[nodiscard]] bool full() const { return full_; }
  // Makes room for two mappings more, `times` over.
  void leave(int times) {
    for (; times > 0 && last_ > page_; --times, last_ -= 2 * page_)
      mprotect(static_cast<char*>(region_) + last_, page_, PROT_NONE);
  }
  void release() {
    if (region_ != MAP_FAILED) munmap(region_, bytes_);
    region_ = MAP_FAILED;
  }

 private:
  std::size_t page_, bytes_, last_ = 0;
  void* region_;
  bool full_ = false;
};

}  // namespace heapmark::process
