// See own_malloc.h.
#include "harness/cli/own_malloc.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <vector>

#include "harness/machine/preload_link.h"
#include "harness/machine/program_file.h"

namespace heapmark::cli {

namespace fs = std::filesystem;

std::string own_malloc_words(const std::string& program, const std::string& folder) {
  const std::string file = machine::program_behind(program, folder);
  if (file.empty()) return "";
  const std::string why = machine::why_own_malloc(machine::program_facts(file));
  if (why.empty()) return "";
  return fmt::format("{} {}: it runs on its own malloc, and the figures of all allocators will be alike",
                     file, why);
}

std::string forward_where_linked(const Paths& paths, const std::string& program, const std::string& folder,
                                 plan::Selection& selection) {
  if (!selection.allocator.builtin || !selection.skipped.empty()) return "";
  const std::string file = machine::program_behind(program, folder);
  if (file.empty()) return "";
  std::vector<std::string> linked;
  for (const std::string& library : machine::linked_mallocs(file))
    linked.push_back(fs::path(library).filename());
  if (linked.empty()) return "";
  selection.preload = machine::preloadable(paths.forward_library);
  return fmt::format(
      "{} is linked with {}: on {} its malloc is resolved from the C library by a forwarding "
      "library ({}), one more jump a call",
      fs::path(program).filename().string(), fmt::join(linked, ", "), selection.label,
      fs::path(paths.forward_library).filename().string());
}

}  // namespace heapmark::cli
