// Limits of this process that come and go: of address space and of data (setrlimit(2)), of mappings
// (vm.max_map_count), pages that are locked (mlockall(2)). It changes one at random when asked to, and tells
// whether a refused request was right while they hold. Asks nothing of malloc. Above it: limits_fuzz.
#pragma once

#include <optional>

#include "allocators/tests/full_mappings.h"
#include "allocators/tests/model/model.h"

namespace heapmark::model {

class Scarcity {
 public:
  // Sets, tightens, loosens or lifts one of the limits. `may_lock`: pages may be locked, and then whatever is
  // mapped is filled by the kernel at once, however large.
  void change(Random& random, bool may_lock);
  [[nodiscard]] bool pages_are_locked() const { return locked_; }
  // All of them are gone.
  void lift();
  // Null where one of the limits explains that a request for so many bytes was refused just now.
  [[nodiscard]] Wrong judge(std::size_t bytes) const;
  // In words, for a report; a constant text.
  [[nodiscard]] const char* name() const;

 private:
  void limit(int resource, const char* figure, std::size_t* limit, Random& random);

  static constexpr std::size_t kNone = SIZE_MAX;
  std::size_t address_space_ = kNone, data_ = kNone;  // bytes
  bool locked_ = false;
  std::optional<process::FullMappings> mappings_;
};

}  // namespace heapmark::model
