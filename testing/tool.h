// The tool as its user starts it, for tests: its output goes to files of the test's folder.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "testing/folder.h"

namespace heapmark::testing {

inline std::string build_folder() {
  return std::getenv("HEAPMARK_BUILD_DIR");
}

// `build`: the folder of the program.
inline pid_t start_tool(const Folder& folder, std::vector<std::string> arguments,
                        const std::string& build = build_folder()) {
  const std::string program = build + "/heapmark", out = folder.file("out"), err = folder.file("err");
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  return child;
}

struct Ended {
  int exit_code = -1;  // 128 and the signal's number where one ended it
  std::string out, err;
};

inline Ended end_of(const Folder& folder, pid_t child) {
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents(folder.file("out")),
          contents(folder.file("err"))};
}

inline Ended tool(const Folder& folder, const std::vector<std::string>& arguments,
                  const std::string& build = build_folder()) {
  return end_of(folder, start_tool(folder, arguments, build));
}

}  // namespace heapmark::testing
