// See child.h.
#include "allocators/tests/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "harness/machine/preload_link.h"

namespace heapmark::tests {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set: run the test by ctest");
  return value;
}

std::string contents(int fd) {
  std::string text;
  char piece[65536];
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(fd, piece, sizeof piece, at);
    if (got <= 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    at += got;
  }
}

}  // namespace

Ended run(std::vector<std::string> command, const std::string& library,
          const std::vector<std::pair<std::string, std::string>>& variables, int seconds) {
  const int out = ::memfd_create("out", MFD_CLOEXEC), err = ::memfd_create("err", MFD_CLOEXEC);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string preload = library.empty() ? "" : machine::preloadable(library);
  const pid_t child = ::fork();
  if (out < 0 || err < 0 || child < 0)
    throw std::system_error(errno, std::generic_category(), "starting a child");
  ::setpgid(child, child);  // the child does the same: whoever comes first
  if (child == 0) {
    ::setpgid(0, 0);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    if (!preload.empty()) ::setenv("LD_PRELOAD", preload.c_str(), 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  Ended ended;
  int status = 0;
  const auto deadline = std::chrono::steady_clock::now() + kSlower * std::chrono::seconds(seconds);
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) {
      ended.timed_out = true;
      ::kill(-child, SIGKILL);
      ::waitpid(child, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.out = contents(out);
  ended.err = contents(err);
  ::close(out);
  ::close(err);
  return ended;
}

bool is_installed(const std::string& program) {
  std::istringstream path(from_environment("PATH"));
  for (std::string folder; std::getline(path, folder, ':');)
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

std::string build_folder() {
  return from_environment("HEAPMARK_BUILD_DIR");
}
std::string brkmmap_library() {
  return build_folder() + "/libbrkmmap.so";
}

}  // namespace heapmark::tests
