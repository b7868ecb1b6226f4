// Zstandard around the text of a results file: committed results are kept as .json.zst. Decides nothing about
// what the text says. Above: results_file. Below: libzstd alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace heapmark::record {

// Levels of libzstd: while a run goes on its file is written after every trial; at the end it is written
// once.
inline constexpr int kQuickLevel = 3;
inline constexpr int kSmallLevel = 15;

// By the name: what ends in ".zst" is written compressed.
[[nodiscard]] bool names_compressed(const std::filesystem::path& path);

// By the first bytes, so that a file that was renamed is still read.
[[nodiscard]] bool is_compressed(std::string_view bytes);

// One frame with a checksum. Throws std::runtime_error where libzstd refuses (out of memory).
[[nodiscard]] std::string compress(std::string_view text, int level);

// All frames of `bytes`. Throws UsageError, which names the file, where they are damaged or end too early.
[[nodiscard]] std::string decompress(std::string_view bytes, const std::filesystem::path& path);

}  // namespace heapmark::record
