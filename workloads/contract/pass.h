// The passes of pass.def as constants, a mask and a table. Used by the measured process too, so nothing here
// allocates or needs a C++ library.
#pragma once

#include <cstddef>

namespace heapmark {

namespace detail {
enum PassPlace : unsigned {
#define HEAPMARK_PASS(constant, ...) constant##Place,
#include "workloads/contract/pass.def"
#undef HEAPMARK_PASS
  kPassPlaces
};
}  // namespace detail

// Bits, so that a set of passes is a mask: kSpeed | kMemory.
enum Pass : unsigned {
#define HEAPMARK_PASS(constant, ...) constant = 1U << detail::constant##Place,
#include "workloads/contract/pass.def"
#undef HEAPMARK_PASS
};
inline constexpr std::size_t kPassCount = detail::kPassPlaces;
inline constexpr unsigned kEveryPass = (1U << kPassCount) - 1;

struct PassInfo {
  Pass pass;
  const char* name;
  const char* question;
  const char* how;
  unsigned rounds, quick_rounds;
  bool grows;  // `-r N` may ask for more rounds than `rounds`
  int times_rank, others_rank;
  bool by_default;  // false: only where --pass names it
};

inline constexpr PassInfo kPassTable[] = {
#define HEAPMARK_PASS(...) {__VA_ARGS__},
#include "workloads/contract/pass.def"
#undef HEAPMARK_PASS
};

}  // namespace heapmark
