// Which live object is at which address, for traces that name blocks by address (imports). Their order is
// that of the log, where a block may be handed out before the free that made its address free: the older one
// is then freed just before, and its late free is left out. Below: TraceWriter.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "harness/trace/trace_writer.h"

namespace heapmark::trace {

class AddressBook {
 public:
  // `writer` must stay.
  explicit AddressBook(TraceWriter& writer) : writer_(writer) {}

  // As the calls were made; address 0 is null, which makes a request a refused one and a free nothing.
  void request(std::uint32_t thread, std::uint64_t time_ns, Op op, std::uint64_t address, std::uint64_t bytes,
               std::uint8_t log2_alignment = 0);
  void resize(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t old_address, std::uint64_t address,
              std::uint64_t bytes);
  void free(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t address);

  [[nodiscard]] const WriterCounts& counts() const { return counts_; }

 private:
  void make_room(std::uint32_t thread, std::uint64_t time_ns, std::uint64_t address);
  [[nodiscard]] bool was_freed_early(std::uint64_t address);

  TraceWriter& writer_;
  std::unordered_map<std::uint64_t, LiveObject> live_;
  std::unordered_map<std::uint64_t, std::uint64_t> freed_early_;  // how many frees are still to come
  WriterCounts counts_;
};

}  // namespace heapmark::trace
