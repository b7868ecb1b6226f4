// Where the parts of heapmark lie: all beside the program, but for the catalog, which is data.
#pragma once

#include <string>

namespace heapmark::cli {

struct Paths {
  std::string program_directory;  // of the running program; bundled allocators lie there
  std::string host_program;       // heapmark-host
  std::string noop_library;       // preloaded for the C library's own malloc
  std::string forward_library;    // passes malloc on to the C library, for programs linked with another
  std::string recorder_library;   // preloaded before the allocator to record a program
  std::string scripts_directory;  // HEAPMARK_SCRIPTS, else scripts/ beside the program, else the source's
  std::string catalog_directory;  // HEAPMARK_CATALOG, else catalog/ beside the program, else the source's
};

// Throws std::system_error where /proc/self/exe cannot be read. Does not look whether the files are there.
[[nodiscard]] Paths find_paths();

}  // namespace heapmark::cli
