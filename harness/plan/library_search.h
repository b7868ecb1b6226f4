// Where an allocator's library lies on this machine, and what can be said of the file: is it one that the
// loader would take, its build id, the Debian package and version it came with. Reading only.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/plan/catalog.h"

namespace heapmark::plan {

// Finds an allocator's library on this machine; "" where there is none.
using LibrarySearch = std::function<std::string(const Allocator&)>;

// The LibrarySearch of this machine: the C library in use for a builtin one, beside the program for bundled
// ones, LD_LIBRARY_PATH and the system's directories otherwise.
[[nodiscard]] LibrarySearch machine_search(const std::string& program_directory);

// The first of `libraries` (names, or absolute paths; both may hold '*') that is found in the first of
// `directories` (which may hold '*'); of several matches the highest version. The canonical path, or "".
[[nodiscard]] std::string find_library(const std::vector<std::string>& libraries,
                                       const std::vector<std::string>& directories);

// Whether `file` is an ELF shared object of this machine's class and processor.
[[nodiscard]] bool is_shared_library(const std::filesystem::path& file);

// ELF note NT_GNU_BUILD_ID in hexadecimal; "" where the file has none or is no ELF file.
[[nodiscard]] std::string build_id(const std::filesystem::path& file);

// Version of the Debian package that each of `files` came with. Files that came with none are absent, and all
// are where there is no dpkg. One question for all: each takes a tenth of a second.
[[nodiscard]] std::map<std::string, std::string> debian_versions(const std::vector<std::string>& files);

}  // namespace heapmark::plan
