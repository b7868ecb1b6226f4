// Reads the short text files in which the kernel tells its figures (/proc, /sys/fs/cgroup).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace heapmark::machine {

// "" where the file cannot be read.
[[nodiscard]] std::string text_of(const std::filesystem::path& file);

// The number that a file begins with. Empty where there is none.
[[nodiscard]] std::optional<std::uint64_t> number_in(const std::filesystem::path& file);

// The number behind `key` in a file of lines "key number". Empty where there is none.
[[nodiscard]] std::optional<std::uint64_t> number_behind(const std::filesystem::path& file,
                                                         std::string_view key);

}  // namespace heapmark::machine
