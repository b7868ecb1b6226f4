// Every system call that the allocator makes for memory, and nothing else: thin, uncounted. os_linux.cc does
// them; the tests link fakes in their place. Addresses and sizes are whole pages. All keep errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace brkmmap::os {

[[nodiscard]] void* map(std::size_t bytes) noexcept;                            // null: refused
[[nodiscard]] bool map_at(std::uintptr_t address, std::size_t bytes) noexcept;  // exactly there, over nothing
[[nodiscard]] bool unmap(std::uintptr_t address, std::size_t bytes) noexcept;
[[nodiscard]] bool purge(std::uintptr_t address, std::size_t bytes) noexcept;  // pages go and read as zero
// Whether the kernel gives huge pages of kHugePage bytes to a process that asks for them, and to this one.
[[nodiscard]] bool has_huge_pages() noexcept;
// Memory that was mapped just now, whole places of huge pages, gets a huge page for each. False where the
// kernel had not enough of them: then some places may have one, others their first small page. What is purged
// later comes back in small pages.
[[nodiscard]] bool fault_in_huge_pages(std::uintptr_t address, std::size_t bytes) noexcept;
[[nodiscard]] void* remap(std::uintptr_t address, std::size_t old_bytes, std::size_t new_bytes) noexcept;
[[nodiscard]] bool extend(std::uintptr_t address, std::size_t old_bytes,
                          std::size_t new_bytes) noexcept;  // in place
// Pages of one mapping go to `to`, over what is mapped there. Where that is refused, both stay as they are.
[[nodiscard]] bool move(std::uintptr_t from, std::size_t bytes, std::uintptr_t to) noexcept;
// No request above this can succeed, whatever is given back first: the process's limits on addresses and
// data, and the memory and swap of the machine. To be asked once the kernel has refused.
[[nodiscard]] std::size_t most_bytes() noexcept;
// How many mappings a process may have (vm.max_map_count), or Linux's default where that can't be read.
[[nodiscard]] std::size_t most_mappings() noexcept;
std::uint64_t milliseconds() noexcept;  // of a clock that never goes back; to some milliseconds
std::uintptr_t program_break() noexcept;
[[nodiscard]] bool set_break(std::uintptr_t address) noexcept;

}  // namespace brkmmap::os
