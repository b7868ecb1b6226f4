// See scarcity.h.
#include "allocators/tests/model/scarcity.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "allocators/tests/process_figures.h"

namespace heapmark::model {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;
// An allocator maps more than it is asked for: tables, a segment to begin with, room before an alignment.
constexpr std::size_t kOverhead = 4 * kMebibyte;
constexpr unsigned long kMostMappings = 400'000;  // more take more time and kernel memory than a run should

bool explains(std::size_t limit, const char* figure, std::size_t bytes) {
  if (limit == SIZE_MAX) return false;
  const std::size_t now = process::status_bytes(figure);
  return now >= limit || limit - now < bytes || limit - now - bytes < kOverhead;
}

}  // namespace

// From a little below what is in use, where nothing can grow, to 64 MiB above.
void Scarcity::limit(int resource, const char* figure, std::size_t* limit, Random& random) {
  const std::size_t now = process::status_bytes(figure);
  const std::size_t room = random.below(4) == 0 ? 0 : random.log_uniform(64 * kMebibyte);
  const std::size_t wanted = now - std::min(now, random.below(4) == 0 ? kMebibyte : 0) + room;
  if (process::set_limit(resource, wanted)) *limit = wanted;
}

void Scarcity::change(Random& random, bool may_lock) {
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return limit(RLIMIT_AS, "VmSize", &address_space_, random);
    case 4:
    case 5:
    case 6:
      return limit(RLIMIT_DATA, "VmData", &data_, random);
    case 7:
    case 8:
      if (process::lift_limit(RLIMIT_AS)) address_space_ = kNone;
      return;
    case 9:
      if (process::lift_limit(RLIMIT_DATA)) data_ = kNone;
      return;
    case 10: {
      const unsigned long allowed = process::number_in("/proc/sys/vm/max_map_count");
      // It takes a tenth of a second: not often.
      if (mappings_ || allowed > kMostMappings || random.below(4) != 0) return;
      mappings_.emplace(allowed);
      if (!mappings_->full()) return mappings_.reset();
      return mappings_->leave(static_cast<int>(random.below(60)));
    }
    case 11:
      return mappings_.reset();
    case 12:
      locked_ = locked_ || (may_lock && mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
      return;
    case 13:
      if (munlockall() == 0) locked_ = false;
      return;
    default:
      return lift();
  }
}

void Scarcity::lift() {
  mappings_.reset();
  if (process::lift_limit(RLIMIT_AS)) address_space_ = kNone;
  if (process::lift_limit(RLIMIT_DATA)) data_ = kNone;
  if (munlockall() == 0) locked_ = false;
}

Wrong Scarcity::judge(std::size_t bytes) const {
  if (mappings_ || explains(address_space_, "VmSize", bytes) || explains(data_, "VmData", bytes))
    return nullptr;
  if (locked_ && ::geteuid() != 0) return nullptr;  // RLIMIT_MEMLOCK counts
  return "a request was refused though the limits leave room for it";
}

const char* Scarcity::name() const {
  if (mappings_) return "few mappings left";
  if (address_space_ != kNone)
    return data_ != kNone ? "address space and data limited" : "address space limited";
  if (data_ != kNone) return "data limited";
  return locked_ ? "pages locked" : "no limit";
}

}  // namespace heapmark::model
