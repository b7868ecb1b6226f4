// The figures that the ledger pass adds to every workload: harness/ledger measures them from outside, and the
// plan asks for them.
#pragma once

#include "workloads/contract/metric.h"
#include "workloads/contract/pass.h"

namespace heapmark {

inline constexpr MetricInfo kLedgerMetrics[] = {
    {"trims", "count", Better::kNeither, kLedger, true, "times the break was lowered"},
    {"trim_bytes", "bytes", Better::kNeither, kLedger, false, "by how much in all"},
    {"purges", "count", Better::kNeither, kLedger, true,
     "madvise calls that gave pages back and kept the addresses"},
    {"purge_bytes", "bytes", Better::kNeither, kLedger, false, "of how many bytes"},
    {"releases", "count", Better::kNeither, kLedger, true,
     "munmap calls that gave anonymous memory back, addresses and all"},
    {"release_bytes", "bytes", Better::kNeither, kLedger, false, "of how many bytes"},
    {"brk_grows", "count", Better::kLower, kLedger, false, "times the break was raised"},
    {"brk_grow_bytes", "bytes", Better::kNeither, kLedger, false, "by how much in all"},
    {"brk_calls", "count", Better::kLower, kLedger, false, "brk calls that moved the break"},
    {"mmap_calls", "count", Better::kLower, kLedger, false, "mmap calls for anonymous memory"},
    {"mmap_bytes", "bytes", Better::kNeither, kLedger, false, "of how many bytes"},
    {"mremap_calls", "count", Better::kLower, kLedger, false, "mremap calls on anonymous memory"},
    {"brk_refused", "count", Better::kNeither, kLedger, false,
     "brk calls that did not move the break as asked"},
    {"mmap_refused", "count", Better::kNeither, kLedger, false, "mmap calls that failed"},
    {"munmap_refused", "count", Better::kNeither, kLedger, false, "munmap calls that failed"},
    {"mremap_refused", "count", Better::kNeither, kLedger, false, "mremap calls that failed"},
    {"madvise_refused", "count", Better::kNeither, kLedger, false, "madvise calls that failed"},
    {"kernel_calls", "count", Better::kLower, kLedger, true,
     "every brk, mmap, munmap, mremap and madvise, refused ones and those that changed nothing included"},
    {"mapped_peak_bytes", "bytes", Better::kLower, kLedger, false,
     "most anonymous address space above the start"},
    {"mapped_end_bytes", "bytes", Better::kLower, kLedger, false,
     "anonymous address space above the start at the end"},
};

}  // namespace heapmark
