// A kernel for the tests: the break and the mappings are slices of one reserved range, and any call can be
// told to fail. Linked in place of os_linux.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap::fake {

void reset() noexcept;                    // an empty process
void fail_at(std::size_t call) noexcept;  // the call-th from now on fails, once; 0: none
void foreign_sbrk(std::size_t bytes) noexcept;
void map_below(std::uintptr_t address) noexcept;  // where the next mapping ends
std::uintptr_t mappings() noexcept;               // the lowest address that a mapping can have, of 16 GiB

}  // namespace brkmmap::fake
