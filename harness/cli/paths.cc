#include "harness/cli/paths.h"

#include <cstdlib>
#include <filesystem>

namespace heapmark::cli {

Paths find_paths() {
  namespace fs = std::filesystem;
  const fs::path directory = fs::read_symlink("/proc/self/exe").parent_path();
  const char* const chosen = std::getenv("HEAPMARK_CATALOG");
  const fs::path beside = directory / "catalog";
  fs::path catalog = HEAPMARK_CATALOG_DIR;
  if (chosen && *chosen)
    catalog = chosen;
  else if (fs::is_directory(beside))
    catalog = beside;
  return {.program_directory = directory.string(),
          .host_program = (directory / "heapmark-host").string(),
          .noop_library = (directory / "libheapmark-noop.so").string(),
          .catalog_directory = catalog.string()};
}

}  // namespace heapmark::cli
