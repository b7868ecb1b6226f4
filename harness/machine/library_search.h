// Library files of this machine: where they lie, and what can be said of a file: is it one that the loader
// would take, its build id, the Debian package and version it came with. Reading only.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace heapmark::machine {

// Where libraries are looked for: LD_LIBRARY_PATH, then the system's directories and the compilers' own. Some
// hold a '*'.
[[nodiscard]] std::vector<std::string> system_directories();

// The C library that this process runs on, links resolved; "" where it cannot be told.
[[nodiscard]] std::string c_library_in_use();

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

}  // namespace heapmark::machine
