#include "harness/cli/exec.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "harness/cli/known.h"
#include "harness/cli/own_malloc.h"
#include "harness/cli/terminal.h"
#include "harness/plan/usage_error.h"

namespace heapmark::cli {

trial::Pairs exec_environment(const plan::Selection& selection, std::string_view preloaded) {
  trial::Pairs variables = plan::environment_of(selection);
  // First in the list is first to be asked for malloc; what the user preloads besides stays.
  variables.emplace_back("LD_PRELOAD", preloaded.empty()
                                           ? selection.preload
                                           : fmt::format("{}:{}", selection.preload, preloaded));
  variables.emplace_back("HEAPMARK_MALLOC_LIBRARY", selection.library);
  return variables;
}

int exec(const Paths& paths, std::string_view allocator, const std::vector<std::string>& command) {
  std::span<const std::string> words = command;
  if (!words.empty() && words.front() == "--") words = words.subspan(1);
  if (words.empty()) throw UsageError("exec needs a command: heapmark exec -a NAME -- COMMAND ARGS...");

  std::vector<plan::Selection> selections = select(paths, allocator, load_catalog(paths.catalog_directory));
  if (selections.size() != 1)
    throw UsageError(fmt::format("exec takes one allocator, not \"{}\"", allocator));
  plan::Selection& selection = selections.front();
  if (!selection.skipped.empty()) {
    warn(selection.label + ": " + selection.skipped);
    return kNotInstalled;
  }

  if (const std::string own = own_malloc_words(words.front()); !own.empty()) warn(own);
  if (const std::string how = forward_where_linked(paths, words.front(), "", selection); !how.empty())
    warn(how);
  const char* const preloaded = std::getenv("LD_PRELOAD");
  for (const auto& [name, value] : exec_environment(selection, preloaded ? preloaded : ""))
    setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  warn(words.front() + ": " + std::strerror(error));
  return error == ENOENT ? kNotFound : kCannotRun;
}

}  // namespace heapmark::cli
