// What a workload is: one file that declares its name, parameters, standard variants, metrics and two
// functions, and registers itself. It knows the Context and nothing of the harness; it never names an
// allocator.
//
//   prepare  maps and pre-faults what the workload needs of its own (slot tables, stacks, sample tables),
//            through the Context; must not call malloc
//   run      does the fixed work with malloc, realloc, calloc, free; calls Context::start_clock and
//            stop_clock around the timed part; must not allocate for itself
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "workloads/contract/metric.h"
#include "workloads/contract/pass.h"

namespace heapmark {

class Context;

enum class Kind : std::uint8_t { kCount, kBytes, kShare, kSeconds, kChoice, kSizes, kText };

// One row: what `--set name=value` may say. kChoice takes one of `choices`, separated by '|'; kSizes takes
// what contract/size_spec.h tells, or one of `choices`; kText is not for `--set`: what a plan tells the
// workload.
struct Parameter {
  const char* name;
  Kind kind;
  const char* default_value;  // as the user would write it: "64K", "0.75", "mixed"
  const char* choices;        // kChoice and kSizes only, else ""
  double min, max;            // inclusive; not used for kChoice and kSizes
  const char* help;
};

// A point of the parameter space that `-w NAME` measures by default. The sets are "name=value,name=value":
// `quick_sets` are added under --quick; without it `ledger_sets` in the ledger pass and `speed_sets` in the
// speed pass. These two take some of the work away, never the size of the heap: a call into the kernel takes
// ten times as long under the ledger, and of a time the interval is over launches, so it gets narrow sooner
// from many short ones than from few long ones. Only where the work is steady from its start: else less of it
// would have another ratio.
struct Variant {
  const char* name;  // "small-1t"
  unsigned passes;   // which passes make sense of it
  const char* sets;
  const char* quick_sets;
  const char* ledger_sets = "";
  const char* speed_sets = "";
};

template <typename T>
struct Rows {
  const T* first = nullptr;
  std::size_t count = 0;
  template <std::size_t N>
  constexpr Rows(const T (&rows)[N]) : first(rows), count(N) {}
  constexpr Rows() = default;
  const T* begin() const { return first; }
  const T* end() const { return first + count; }
};

struct Workload {
  const char* name;
  const char* summary;  // one line: what it stresses
  Rows<Parameter> parameters;
  Rows<Variant> variants;
  Rows<MetricInfo> metrics;
  void (*prepare)(Context&);
  void (*run)(Context&);
};

}  // namespace heapmark
