// See model.h.
#include "allocators/tests/model/model.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace heapmark::model {
namespace {

constexpr std::size_t kWindow = 64;
constexpr std::size_t kWhole = 1024;  // blocks up to this size are written and compared in full
constexpr std::size_t kMiddle = 16;

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

// Every byte depends on its place, so that contents moved by some bytes or pages are found too.
unsigned char pattern(std::uint64_t seed, std::size_t offset) {
  return static_cast<unsigned char>(mixed(seed + offset / 8) >> (offset % 8 * 8));
}

// Calls visit(from, to) for each written stretch of the block; stops where it answers false.
template <typename Visit>
bool for_each_stretch(const Block& block, Visit visit) {
  if (block.usable <= kWhole) return visit(std::size_t{0}, block.usable);
  if (!visit(std::size_t{0}, kWindow)) return false;
  const std::size_t stride = block.usable / kMiddle;
  const std::size_t within = block.seed % (stride - kWindow + 1);  // stride >= kWhole / kMiddle == kWindow
  for (std::size_t at = 0; at < kMiddle; ++at)
    if (!visit(at * stride + within, at * stride + within + kWindow)) return false;
  return visit(block.bytes > kWindow ? block.bytes - kWindow : 0, block.bytes) &&
         visit(block.usable - kWindow, block.usable);
}
static_assert(kWhole / kMiddle >= kWindow);

// The block's place in the order; one of no bytes still has an address of its own.
const unsigned char* end_of(const Block& block) {
  return block.memory + std::max(block.usable, std::size_t{1});
}

}  // namespace

std::uint64_t Random::next() {
  return mixed(state_ += 0x9E3779B97F4A7C15);
}

std::size_t Random::log_uniform(std::size_t most) {
  const double uniform = static_cast<double>(next() >> 11) * 0x1p-53;
  return std::min(most,
                  static_cast<std::size_t>(std::exp2(uniform * std::log2(static_cast<double>(most) + 1))));
}

void stamp(const Block& block) {
  for_each_stretch(block, [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; ++at) block.memory[at] = pattern(block.seed, at);
    return true;
  });
}

bool holds_stamp(const Block& block, const unsigned char* at, std::size_t kept) {
  return for_each_stretch(block, [&](std::size_t from, std::size_t to) {
    for (std::size_t byte = from; byte < std::min(to, kept); ++byte)
      if (at[byte] != pattern(block.seed, byte)) return false;
    return true;
  });
}

bool all_zero(const unsigned char* memory, std::size_t bytes) {
  return bytes == 0 || (memory[0] == 0 && std::memcmp(memory, memory + 1, bytes - 1) == 0);
}

Model::Model() {
  void* memory = ::mmap(nullptr, kMostBlocks * sizeof(Block), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  blocks_ = static_cast<Block*>(memory);
}

Model::~Model() {
  ::munmap(blocks_, kMostBlocks * sizeof(Block));
}

std::size_t Model::first_from(const unsigned char* address) const {
  const Block* found =
      std::lower_bound(blocks_, blocks_ + count_, address,
                       [](const Block& block, const unsigned char* wanted) { return block.memory < wanted; });
  return static_cast<std::size_t>(found - blocks_);
}

Wrong Model::add(const Block& block) {
  if (block.memory == nullptr) return "a request was refused";
  if (!std::has_single_bit(block.alignment)) return "the test asks for an alignment that is no power of two";
  if (reinterpret_cast<std::uintptr_t>(block.memory) % block.alignment != 0)
    return "a block is not aligned as promised";
  if (block.usable < block.bytes) return "malloc_usable_size is less than was asked for";
  const std::lock_guard lock(mutex_);
  if (count_ == kMostBlocks) return "the model is full: the test holds too many blocks";
  const std::size_t at = first_from(block.memory);
  if (at < count_ && blocks_[at].memory < end_of(block)) return "a block overlaps the live one above it";
  if (at > 0 && end_of(blocks_[at - 1]) > block.memory) return "a block overlaps the live one below it";
  std::memmove(blocks_ + at + 1, blocks_ + at, (count_ - at) * sizeof(Block));
  blocks_[at] = block;
  ++count_;
  if (!block.foreign) usable_bytes_ += block.usable;
  return nullptr;
}

Wrong Model::remove(const Block& block) {
  {
    const std::lock_guard lock(mutex_);
    const std::size_t at = first_from(block.memory);
    if (at == count_ || blocks_[at].memory != block.memory)
      return "the test frees a block that does not live";
    if (blocks_[at].seed != block.seed || blocks_[at].bytes != block.bytes)
      return "the test frees another block than it was given";
    std::memmove(blocks_ + at, blocks_ + at + 1, (count_ - at - 1) * sizeof(Block));
    --count_;
    if (!block.foreign) usable_bytes_ -= block.usable;
  }
  // Outside the lock: the caller still owns the block, and threads should meet in the allocator, not here.
  return holds_stamp(block, block.memory, block.usable) ? nullptr : "the contents of a live block changed";
}

Wrong Model::check_all() const {
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < count_; ++at)
    if (!holds_stamp(blocks_[at], blocks_[at].memory, blocks_[at].usable))
      return "the contents of a live block changed";
  return nullptr;
}

std::size_t Model::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::uint64_t Model::usable_bytes() const {
  const std::lock_guard lock(mutex_);
  return usable_bytes_;
}

}  // namespace heapmark::model
