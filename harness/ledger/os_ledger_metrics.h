// The figures that the ledger adds to every workload (os_ledger.h measures them, the plan asks for them).
#pragma once

namespace heapmark::ledger {

struct LedgerMetric {
  const char* name;
  const char* unit;
  const char* better;
  bool headline;
  const char* help;
};

inline constexpr LedgerMetric kLedgerMetrics[] = {
    {"trims", "count", "neither", true, "times the break was lowered"},
    {"trim_bytes", "bytes", "neither", false, "by how much in all"},
    {"purges", "count", "neither", true, "madvise calls that gave pages back and kept the addresses"},
    {"purge_bytes", "bytes", "neither", false, "of how many bytes"},
    {"releases", "count", "neither", true, "munmap calls that gave anonymous memory back, addresses and all"},
    {"release_bytes", "bytes", "neither", false, "of how many bytes"},
    {"brk_grows", "count", "lower", false, "times the break was raised"},
    {"brk_grow_bytes", "bytes", "neither", false, "by how much in all"},
    {"brk_calls", "count", "lower", false, "brk calls that moved the break"},
    {"mmap_calls", "count", "lower", false, "mmap calls for anonymous memory"},
    {"mmap_bytes", "bytes", "neither", false, "of how many bytes"},
    {"mremap_calls", "count", "lower", false, "mremap calls on anonymous memory"},
    {"kernel_calls", "count", "lower", false,
     "all calls of the ledger: brk, mmap, munmap, mremap, purging madvise"},
    {"mapped_peak_bytes", "bytes", "lower", false, "most anonymous address space above the start"},
    {"mapped_end_bytes", "bytes", "lower", false, "anonymous address space above the start at the end"},
};

}  // namespace heapmark::ledger
