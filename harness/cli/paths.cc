#include "harness/cli/paths.h"

#include <cstdlib>
#include <filesystem>

namespace heapmark::cli {
namespace {

namespace fs = std::filesystem;

// `marker` is a file that must be in the folder beside the program: a build directory has folders of these
// names too.
std::string data_folder(const char* variable, const fs::path& beside_program, const char* marker,
                        const char* in_source) {
  const char* const chosen = std::getenv(variable);
  if (chosen && *chosen) return chosen;
  return fs::exists(beside_program / marker) ? beside_program.string() : in_source;
}

}  // namespace

Paths find_paths() {
  const fs::path directory = fs::read_symlink("/proc/self/exe").parent_path();
  return {.program_directory = directory.string(),
          .host_program = (directory / "heapmark-host").string(),
          .noop_library = (directory / "libheapmark-noop.so").string(),
          .forward_library = (directory / "libheapmark-forward.so").string(),
          .recorder_library = (directory / "libheapmark-recorder.so").string(),
          .scripts_directory =
              data_folder("HEAPMARK_SCRIPTS", directory / "scripts", "tune/main.py", HEAPMARK_SCRIPTS_DIR),
          .catalog_directory =
              data_folder("HEAPMARK_CATALOG", directory / "catalog", "glibc.toml", HEAPMARK_CATALOG_DIR)};
}

}  // namespace heapmark::cli
