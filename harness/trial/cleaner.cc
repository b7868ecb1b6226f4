// See cleaner.h. The child only makes system calls: it was forked from a process that may have threads.
#include "harness/trial/cleaner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace heapmark::trial {
namespace {

// Pages are read back from the swap before it is gone: where memory is short for a moment it is tried again.
constexpr int kTries = 50;
constexpr timespec kBetweenTries{0, 100'000'000};

void remove_swap(const char* path) {
  for (int tried = 0; tried < kTries; ++tried) {
    if (::swapoff(path) == 0 || errno == EINVAL || errno == ENOENT) break;  // EINVAL: it is not in use
    ::nanosleep(&kBetweenTries, nullptr);
  }
  ::unlink(path);
}

// Reads paths, each ended by a zero byte, until the tool's end is closed; then removes them.
[[noreturn]] void clean_when_closed(int own_end) {
  static char told[16 * (Cleaner::kLongestPath + 1)];
  std::size_t size = 0;
  while (size < sizeof told) {
    const ssize_t got = ::read(own_end, told + size, sizeof told - size);
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  for (std::size_t at = 0; at < size; at += std::strlen(told + at) + 1)
    if (told[at] == '/') remove_swap(told + at);
  ::_exit(0);
}

}  // namespace

Cleaner::Cleaner() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "a pair of sockets");
  Descriptor child_end(ends[0]);
  tool_end_ = Descriptor(ends[1]);
  child_ = ::fork();
  if (child_ < 0) throw std::system_error(errno, std::generic_category(), "starting the cleaner");
  if (child_ != 0) {
    // Not before it has a session of its own: a kill of the tool's process group must not reach it any more.
    child_end = Descriptor();
    char ready = 0;
    if (::read(tool_end_.get(), &ready, 1) != 1)
      throw std::system_error(ECHILD, std::generic_category(), "starting the cleaner");
    return;
  }
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  // All others, the tool's end above all: while it is open here, its closing would not be seen.
  const int own_end = ::dup2(child_end.get(), 3);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  if (::write(own_end, "", 1) != 1) ::_exit(1);
  clean_when_closed(own_end);
}

Cleaner::~Cleaner() {
  tool_end_ = Descriptor();
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Cleaner::will_make_swap(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.size() > kLongestPath)
    throw std::system_error(ENAMETOOLONG, std::generic_category(), path);
  const auto bytes = static_cast<ssize_t>(path.size() + 1);
  if (::send(tool_end_.get(), path.c_str(), path.size() + 1, MSG_NOSIGNAL) != bytes)
    throw std::system_error(errno, std::generic_category(), "telling the cleaner");
}

}  // namespace heapmark::trial
