// See tune.h.
#include "harness/cli/tune.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "harness/plan/usage_error.h"

namespace heapmark::cli {

void tune(const Paths& paths, const std::vector<std::string>& arguments, const std::string& command) {
  const std::string script = paths.scripts_directory + "/tune/main.py";
  if (!std::filesystem::exists(script))
    throw UsageError("heapmark tune needs " + script + "; HEAPMARK_SCRIPTS names another folder of scripts");
  // Debian's own python3 by path: another one on PATH may lack Optuna.
  const char* const chosen = std::getenv("HEAPMARK_TUNE_PYTHON");
  const std::string python = chosen && *chosen ? chosen : "/usr/bin/python3";
  ::setenv("HEAPMARK_PROGRAM", (paths.program_directory + "/heapmark").c_str(), 1);
  ::setenv("HEAPMARK_CATALOG", paths.catalog_directory.c_str(), 1);
  ::setenv("HEAPMARK_COMMAND", command.c_str(), 1);
  std::vector<char*> argv{const_cast<char*>(python.c_str()), const_cast<char*>(script.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(python.c_str(), argv.data());
  throw std::system_error(errno, std::generic_category(), "starting " + python);
}

}  // namespace heapmark::cli
