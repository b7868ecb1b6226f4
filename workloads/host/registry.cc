// See registry.h.
#include "workloads/host/registry.h"

#include <cstring>

#include "workloads/context.h"

namespace heapmark {
namespace {

struct Registered {
  const Workload* workload;
  const char* group;
};

Registered workloads[host::kMaxWorkloads];
std::size_t count = 0;

constexpr unsigned kOptional = 0;  // only where the allocator can tell

constexpr MetricInfo kCommonMetrics[] = {
    {"ns_per_op", "ns", Better::kLower, kSpeed | kPressure, true,
     "wall time of the timed part over its operations; in lockstep without the time in which others had its "
     "CPU"},
    {"cpu_ns_per_op", "ns", Better::kLower, kSpeed | kPressure, false,
     "CPU time of all threads in the timed part over its operations"},
    {"ops_per_second", "1/s", Better::kHigher, kSpeed | kPressure, false,
     "operations of the timed part over its wall time"},
    {"rss_peak_bytes", "bytes", Better::kLower, kMemory, true,
     "most resident memory above the start: the larger of VmHWM and what was seen (proc(5))"},
    {"rss_end_bytes", "bytes", Better::kLower, kMemory, false,
     "resident memory above the start when the workload is over"},
    {"virtual_peak_bytes", "bytes", Better::kLower, kMemory, false,
     "largest address space seen above the start"},
    {"minor_faults", "count", Better::kLower, kEveryPass, true,
     "page faults served without the disk (getrusage(2))"},
    {"major_faults", "count", Better::kLower, kEveryPass, true,
     "page faults that had to read the disk (getrusage(2))"},
    {"p50_ns", "ns", Better::kLower, kLatency, false, "half of all calls took no longer"},
    {"p99_ns", "ns", Better::kLower, kLatency, true, "99 % of all calls took no longer"},
    {"p999_ns", "ns", Better::kLower, kLatency, true, "99.9 % of all calls took no longer"},
    {"p9999_ns", "ns", Better::kLower, kLatency, true,
     "99.99 % of all calls took no longer; not measured below 100,000 calls"},
    {"slowest_call_ns", "ns", Better::kLower, kLatency, true,
     "the slowest call, but for those in which another program got the CPU"},
    {"malloc_p999_ns", "ns", Better::kLower, kLatency, false, "99.9 % of the malloc calls took no longer"},
    {"free_p999_ns", "ns", Better::kLower, kLatency, false, "99.9 % of the free calls took no longer"},
    {"stalls", "count", Better::kLower, kLatency, true,
     "calls of more than 100 us, but for those in which another program got the CPU"},
    {"timed_calls", "count", Better::kNeither, kLatency, false, "calls of all kinds that were timed"},
    {"faulted_calls", "count", Better::kLower, kLatency, false, "of these, those with a page fault in them"},
    {"mapping_calls", "count", Better::kLower, kLatency, false,
     "without a fault, but they changed the break or the address space, or waited"},
    {"preempted_calls", "count", Better::kNeither, kLatency, false,
     "in which another program got the CPU: they are left out of the figures above"},
    {"clock_cost_ns", "ns", Better::kNeither, kLatency, false,
     "that reading the clock twice adds to each call's time; it is not subtracted"},
    {"own_brk_grows", "count", Better::kNeither, kOptional, false,
     "break raised, as the allocator counts it"},
    {"own_brk_grow_bytes", "bytes", Better::kNeither, kOptional, false, "by so much in all"},
    {"own_trims", "count", Better::kNeither, kOptional, false, "break lowered, as the allocator counts it"},
    {"own_trim_bytes", "bytes", Better::kNeither, kOptional, false, "by so much in all"},
    {"own_purges", "count", Better::kNeither, kOptional, false, "madvise, as the allocator counts it"},
    {"own_purge_bytes", "bytes", Better::kNeither, kOptional, false, "of so much in all"},
    {"own_releases", "count", Better::kNeither, kOptional, false, "munmap, as the allocator counts it"},
    {"own_release_bytes", "bytes", Better::kNeither, kOptional, false, "of so much in all"},
    {"own_mmaps", "count", Better::kNeither, kOptional, false, "mmap, as the allocator counts it"},
    {"own_mmap_bytes", "bytes", Better::kNeither, kOptional, false, "of so much in all"},
    {"own_mremaps", "count", Better::kNeither, kOptional, false, "mremap, as the allocator counts it"},
};

}  // namespace

void register_workload(const Workload& workload, const char* group) {
  if (count == host::kMaxWorkloads) return;
  std::size_t at = count++;
  for (; at > 0 && std::strcmp(workload.name, workloads[at - 1].workload->name) < 0; --at)
    workloads[at] = workloads[at - 1];
  workloads[at] = {&workload, group};
}

namespace host {

std::size_t workload_count() {
  return count;
}
const Workload& workload_at(std::size_t index) {
  return *workloads[index].workload;
}
const char* group_at(std::size_t index) {
  return workloads[index].group;
}

const Workload* find_workload(const char* name) {
  for (std::size_t at = 0; at < count; ++at)
    if (std::strcmp(workloads[at].workload->name, name) == 0) return workloads[at].workload;
  return nullptr;
}

Rows<MetricInfo> common_metrics() {
  return kCommonMetrics;
}

}  // namespace host
}  // namespace heapmark
