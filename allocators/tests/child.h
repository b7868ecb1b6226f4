// Runs a program with a malloc preloaded and keeps what it wrote and how it ended. For tests only.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace heapmark::tests {

struct Ended {
  int exit_code = -1;  // -1 where a signal ended it
  int signal = 0;
  bool timed_out = false;
  std::string out, err;
};

// Limits are given for an idle machine; one under load may take so many times as long.
inline constexpr int kSlower = 5;

// Killed after `kSlower * seconds`. `library` "" runs it as it is. The environment is this process's, with
// `variables` on top.
[[nodiscard]] Ended run(std::vector<std::string> command, const std::string& library,
                        const std::vector<std::pair<std::string, std::string>>& variables = {},
                        int seconds = 60);

// Whether a program of that name is on PATH.
[[nodiscard]] bool is_installed(const std::string& program);

[[nodiscard]] std::string build_folder();
[[nodiscard]] std::string brkmmap_library();

}  // namespace heapmark::tests
