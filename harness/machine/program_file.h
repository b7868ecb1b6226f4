// What the file of a program or library says about its malloc: whether a preloaded library can take its
// place. Reading only; what a process has mapped is trial/malloc_proof.h's. Not for libraries' names and
// versions: library_search.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace heapmark::machine {

struct ProgramFacts {
  bool is_elf = false;
  bool is_static = false;       // names no loader: nothing can be preloaded
  bool is_go = false;           // its heap is the Go runtime's
  bool is_set_id = false;       // set-user-id or set-group-id, for another than this process's user or group
  bool defines_malloc = false;  // a symbol table of it has a malloc of its own
  std::string linked_in;        // an allocator that it seems to hold under other names: "jemalloc", or ""
};

// Never fails: of what cannot be read nothing is said. Kept for each file, which must not change meanwhile.
[[nodiscard]] const ProgramFacts& program_facts(const std::filesystem::path& file);

// The file that runs when `program` is called: looked for in PATH where it has no '/', and where it is a
// script its interpreter's ("#!", "/usr/bin/env NAME" followed), at last an ELF file. "" where there is none.
[[nodiscard]] std::string program_behind(const std::string& program, const std::string& folder = "");

// Why the program runs on a malloc that no preloaded library replaces ("is statically linked", ...), or "".
[[nodiscard]] std::string why_own_malloc(const ProgramFacts& facts);

// The libraries, other than the C library, that the loader would load for the program and that have a malloc:
// a program linked with jemalloc. Asks the loader (ld.so --list), which runs nothing of the program.
[[nodiscard]] std::vector<std::string> linked_mallocs(const std::string& program);

// Whether a file's symbol tables define a function or object of that name.
[[nodiscard]] bool exports_symbol(const std::filesystem::path& file, const std::string& symbol);

// The version that an allocator's library has written in it, where it is known how ("5.3.0-0-g54eaed1d..." of
// jemalloc), or "".
[[nodiscard]] std::string version_written_in(const std::filesystem::path& file);

// A file name that is the C library or its loader.
[[nodiscard]] bool is_c_library(const std::filesystem::path& file);

}  // namespace heapmark::machine
