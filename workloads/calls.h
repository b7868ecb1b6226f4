// The calls that a workload makes of the allocator under test. All go through these functions, so that the
// latency pass can time each of them; in every other pass they are the plain call behind one predictable
// branch. Results are such that the optimiser cannot know them. Implemented, where timed, by
// workloads/host/call_timer.cc. Only a workload whose calls all come this way may take part in that pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace heapmark {

enum class Call : std::uint8_t { kMalloc, kFree, kRealloc, kCalloc, kAligned };
inline constexpr std::size_t kCalls = 5;

// True in the latency pass while the workload runs. Written by one thread, before it starts others.
extern bool calls_are_timed;

// `block`: of kFree and kRealloc, else null. `bytes`: the size asked for, of kFree the block's own.
void* timed_call(Call call, void* block, std::size_t bytes, std::size_t alignment);

namespace detail {

inline void* make_call(Call call, void* block, std::size_t bytes, std::size_t alignment) {
  void* result = nullptr;
  switch (call) {
    case Call::kMalloc:
      result = std::malloc(bytes);
      break;
    case Call::kFree:
      std::free(block);
      break;
    case Call::kRealloc:
      result = std::realloc(block, bytes);
      break;
    case Call::kCalloc:
      result = std::calloc(1, bytes);
      break;
    case Call::kAligned:
      if (posix_memalign(&result, alignment, bytes) != 0) result = nullptr;
      break;
  }
  asm volatile("" : "+r"(result) : : "memory");
  return result;
}

inline void* call_allocator(Call call, void* block, std::size_t bytes, std::size_t alignment) {
  if (calls_are_timed) [[unlikely]]
    return timed_call(call, block, bytes, alignment);
  return make_call(call, block, bytes, alignment);
}

}  // namespace detail

inline void* ask(std::size_t bytes) {
  return detail::call_allocator(Call::kMalloc, nullptr, bytes, 0);
}
inline void* ask_zeroed(std::size_t bytes) {
  return detail::call_allocator(Call::kCalloc, nullptr, bytes, 0);
}
// `alignment`: a power of two, at least the size of a pointer.
inline void* ask_aligned(std::size_t alignment, std::size_t bytes) {
  return detail::call_allocator(Call::kAligned, nullptr, bytes, alignment);
}
// Null where it is refused; the block is live as before then.
inline void* resize(void* block, std::size_t bytes) {
  return detail::call_allocator(Call::kRealloc, block, bytes, 0);
}
// `bytes`: as the block was asked for.
inline void free_block(void* block, std::size_t bytes) {
  detail::call_allocator(Call::kFree, block, bytes, 0);
}

}  // namespace heapmark
