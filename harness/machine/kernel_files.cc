// See kernel_files.h.
#include "harness/machine/kernel_files.h"

#include <charconv>
#include <fstream>
#include <sstream>

namespace heapmark::machine {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();  // an iterator would throw where what the file is about goes meanwhile
  return text.str();
}

std::optional<std::uint64_t> number_in(const fs::path& file) {
  std::uint64_t value = 0;
  if (!(std::ifstream(file) >> value)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_behind(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string name, number; in >> name >> number;) {
    if (name != key) continue;
    std::uint64_t value = 0;
    if (std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc{})
      return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace heapmark::machine
