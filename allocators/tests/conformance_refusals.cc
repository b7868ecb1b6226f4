// What the kernel refuses must cost nothing and hang nobody: pages that are locked cannot be given back
// (madvise(2): EINVAL), a request beyond a limit leaves the address space as it was, fresh pages need no
// filling, and the number of mappings stays below what the kernel allows (vm.max_map_count).
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "allocators/tests/check.h"
#include "allocators/tests/process_figures.h"

using namespace heapmark::conformance;
namespace process = heapmark::process;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20, kGibibyte = std::size_t{1} << 30;

// Static: the table itself asks nothing of malloc.
void* g_blocks[150'000];

std::string within(std::size_t before, std::size_t after, std::size_t most, const std::string& what) {
  const std::size_t moved = before < after ? after - before : before - after;
  if (moved < most) return "";
  return what + " moved by " + std::to_string(moved) + " bytes";
}

// Hopeless requests under `resource`, `figure` being what the limit counts; then one that fits.
std::string refused_at_no_cost(int resource, const char* figure) {
  std::free(hidden(std::malloc(1000)));
  if (!process::set_limit(resource, process::status_bytes(figure) + kGibibyte))
    return "not there: the limit cannot be set";
  for (const std::size_t bytes : {400 * kGibibyte, 32 * kGibibyte, 16'384 * kGibibyte}) {
    const std::size_t before = process::status_bytes("VmSize");
    errno = 0;
    EXPECT(hidden(std::malloc(bytes)) == nullptr && errno == ENOMEM);
    const std::string wrong = within(before, process::status_bytes("VmSize"), kMebibyte,
                                     "VmSize at a refused " + std::to_string(bytes >> 30) + " GiB");
    if (!wrong.empty()) return wrong;
  }
  char* block = static_cast<char*>(hidden(std::malloc(300 * kMebibyte)));
  EXPECT(block != nullptr);
  block[0] = block[300 * kMebibyte - 1] = 1;
  std::free(block);
  return "";
}

void* set_flag(void* flag) {
  *static_cast<bool*>(flag) = true;
  return nullptr;
}

}  // namespace

MALLOC_CHECK(free_ends_where_all_pages_are_locked) {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
    return "not there: mlockall is refused (RLIMIT_MEMLOCK, ulimit -l)";
  constexpr std::size_t kBlocks = 20'000, kBytes = 3000, kStay = 40;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t at = 0; at < kBlocks; ++at) {
      g_blocks[at] = hidden(std::malloc(kBytes));
      if (g_blocks[at] == nullptr) return "not there: locked memory has run out (RLIMIT_MEMLOCK, ulimit -l)";
      fill(g_blocks[at], kBytes, static_cast<unsigned char>(at));
    }
    for (std::size_t at = 0; at < kBlocks; ++at)
      if (at % kStay != 0) std::free(g_blocks[at]);
    for (std::size_t at = 0; at < kBlocks; at += kStay) {
      EXPECT(holds(g_blocks[at], kBytes, static_cast<unsigned char>(at)));
      std::free(g_blocks[at]);
    }
  }
  return "";
}

MALLOC_CHECK(locked_blocks_can_be_freed) {
  constexpr std::size_t kBlocks = 400, kBytes = 100'000;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t at = 0; at < kBlocks; ++at) {
      g_blocks[at] = hidden(std::malloc(kBytes));
      EXPECT(g_blocks[at] != nullptr);
      fill(g_blocks[at], kBytes, static_cast<unsigned char>(at));
      if (mlock(g_blocks[at], kBytes) != 0) return "not there: mlock is refused (RLIMIT_MEMLOCK, ulimit -l)";
    }
    for (std::size_t odd = 0; odd < 2; ++odd)
      for (std::size_t at = odd; at < kBlocks; at += 2) {
        EXPECT(holds(g_blocks[at], kBytes, static_cast<unsigned char>(at)));
        std::free(g_blocks[at]);
      }
  }
  return "";
}

MALLOC_CHECK(a_request_refused_under_a_limit_of_address_space_costs_nothing) {
  return refused_at_no_cost(RLIMIT_AS, "VmSize");
}

MALLOC_CHECK(a_request_refused_under_a_limit_of_data_costs_nothing) {
  return refused_at_no_cost(RLIMIT_DATA, "VmData");
}

MALLOC_CHECK(calloc_of_a_gigabyte_touches_no_pages_of_its_own) {
  if (process::number_in("/proc/sys/vm/overcommit_memory") == 2)
    return "not there: the kernel commits no more than it has (vm.overcommit_memory)";
  constexpr std::size_t kBytes = 1'000'000'000;
  const std::uint64_t before = process::minor_faults();
  for (int round = 0; round < 30; ++round) {
    auto* block = static_cast<unsigned char*>(hidden(std::calloc(1, kBytes)));
    EXPECT(block != nullptr && block[1234] == 0 && block[kBytes / 2] == 0 && block[kBytes - 1] == 0);
    block[1234] = 1;
    std::free(block);
    const std::uint64_t faults = process::minor_faults() - before;
    if (faults >= 2000)
      return std::to_string(faults) + " page faults after " + std::to_string(round + 1) + " of 30 rounds";
  }
  return "";
}

MALLOC_CHECK(many_large_blocks_leave_mappings_for_others) {
  constexpr std::size_t kBlocks = 135'000, kBytes = 2'200'000, kMost = 40'000;
  if (process::number_in("/proc/sys/vm/overcommit_memory") == 2)
    return "not there: the kernel commits no more than it has (vm.overcommit_memory)";
  if (process::number_in("/proc/sys/vm/max_map_count") <= kMost)
    return "not there: vm.max_map_count is smaller than what is asked of malloc here";
  for (std::size_t at = 0; at < kBlocks; ++at) {
    g_blocks[at] = hidden(std::malloc(kBytes));
    EXPECT(g_blocks[at] != nullptr);
  }
  for (std::size_t at = 0; at < kBlocks; at += 2) std::free(g_blocks[at]);
  const std::size_t mappings = process::mappings();
  pthread_t thread;
  bool ran = false;
  const int error = pthread_create(&thread, nullptr, set_flag, &ran);
  if (error == 0) pthread_join(thread, nullptr);
  if (!ran)
    return "pthread_create gives " + std::to_string(error) + " at " + std::to_string(mappings) + " mappings";
  if (mappings >= kMost) return std::to_string(mappings) + " mappings";
  for (std::size_t at = 1; at < kBlocks; at += 2) std::free(g_blocks[at]);
  const std::size_t left = process::mappings();
  if (left >= 1000) return std::to_string(left) + " mappings when all is freed";
  return "";
}
