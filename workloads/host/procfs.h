// What the kernel says of this process's memory, read without malloc through descriptors opened before the
// workload. Which source of RSS is exact on this kernel is tried out at start: see docs/rss.md.
#pragma once

#include <cstdint>

namespace heapmark::host {

struct Memory {
  std::uint64_t anonymous_bytes;  // resident anonymous memory: what malloc can be blamed for
  std::uint64_t file_bytes;       // resident pages of files and shared memory
  std::uint64_t virtual_bytes;
};

// Opens the files of /proc/self and tries out whether statm counts each touched page at once. Returns the
// source chosen: "statm", or "smaps_rollup" where statm lags behind.
const char* open_procfs();

Memory read_memory();

// By statm alone, in about a microsecond. Where the kernel counts resident pages per CPU first, the resident
// figures are some pages behind; the size of the address space is exact.
Memory read_memory_quickly();

// Sets VmHWM back to the present RSS (proc(5), clear_refs 5). False where this is not permitted.
bool reset_peak();
std::uint64_t peak_bytes();  // VmHWM; 0 where it cannot be read

std::int64_t program_break();  // by the raw system call: sbrk(0) would be the same, and could be intercepted

}  // namespace heapmark::host
