// Runs a shell line with and without brkmmap: what it writes and how it ends must be the same. For tests
// only.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "allocators/tests/child.h"

namespace heapmark::tests {

inline bool is_there(const std::string& program) {
  if (is_installed(program)) return true;
  WARN(program << " is not installed: not tried");
  return false;
}

inline void same_with_brkmmap(const std::string& program, const std::string& shell, int seconds = 60) {
  if (!is_there(program)) return;
  const std::vector<std::string> command{"sh", "-c", shell};
  const Ended without = run(command, "", {}, seconds);
  const Ended with = run(command, brkmmap_library(), {}, seconds);
  CAPTURE(program, without.err.substr(0, 2000), with.err.substr(0, 2000), with.signal, with.timed_out);
  REQUIRE(without.exit_code == 0);
  CHECK(with.exit_code == 0);
  CHECK_FALSE(with.out.empty());
  CHECK((with.out == without.out));  // in brackets: a difference is not worth megabytes of a message
  CHECK(with.err.find("cannot be preloaded") == std::string::npos);
}

}  // namespace heapmark::tests
