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
constexpr char kSwap = 's', kCgroup = 'c', kZram = 'z';
constexpr timespec kBetweenTries{0, 100'000'000};

void swap_off(const char* path) {
  for (int tried = 0; tried < kTries; ++tried) {
    if (::swapoff(path) == 0 || errno == EINVAL || errno == ENOENT) break;  // EINVAL: it is not in use
    ::nanosleep(&kBetweenTries, nullptr);
  }
}

void remove_swap(const char* path) {
  swap_off(path);
  ::unlink(path);
}

// Kills what is in the cgroup, until it is empty and can be removed.
void remove_cgroup(const char* path) {
  char procs[Cleaner::kLongestPath + 32];
  std::strcpy(procs, path);
  std::strcat(procs, "/cgroup.procs");
  for (int tried = 0; tried < kTries; ++tried) {
    if (::rmdir(path) == 0 || errno == ENOENT) return;
    char numbers[4096];
    const int fd = ::open(procs, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? 0 : ::read(fd, numbers, sizeof numbers);
    if (fd >= 0) ::close(fd);
    pid_t process = 0;
    for (ssize_t at = 0; at < got; ++at) {
      if (numbers[at] >= '0' && numbers[at] <= '9') {
        process = process * 10 + (numbers[at] - '0');
        continue;
      }
      if (process > 1) ::kill(process, SIGKILL);
      process = 0;
    }
    ::nanosleep(&kBetweenTries, nullptr);
  }
}

// `told`: "zram0 BYTES". Resets the device where it has that size.
void reset_zram(char* told) {
  char* const bytes = std::strchr(told, ' ');
  if (bytes == nullptr) return;
  *bytes = '\0';
  char path[Cleaner::kLongestPath + 32];
  const auto make_path = [&](const char* before, const char* after) {
    std::strcpy(path, before);
    std::strcat(path, told);
    std::strcat(path, after);
  };
  make_path("/dev/", "");
  swap_off(path);
  make_path("/sys/block/", "/disksize");
  char size[32] = "";
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : ::read(fd, size, sizeof size - 1);
  if (fd >= 0) ::close(fd);
  const std::size_t length = std::strlen(bytes + 1);
  const bool ours = got > 0 && std::strncmp(size, bytes + 1, length) == 0 && size[length] == '\n';
  if (!ours) return;
  make_path("/sys/block/", "/reset");
  for (int tried = 0; tried < kTries;
       ++tried) {  // busy while somebody has it open: udev looks at new devices
    const int reset = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool done = reset >= 0 && ::write(reset, "1", 1) == 1;
    if (reset >= 0) ::close(reset);
    if (done) return;
    ::nanosleep(&kBetweenTries, nullptr);
  }
}

// Reads what to remove, a letter and its name ended by a zero byte each, until the tool's end is closed; then
// removes it.
[[noreturn]] void clean_when_closed(int own_end) {
  static char told[16 * (Cleaner::kLongestPath + 2)];
  std::size_t size = 0;
  while (size < sizeof told) {
    const ssize_t got = ::read(own_end, told + size, sizeof told - size);
    if (got > 0) size += static_cast<std::size_t>(got);
    if (got == 0 || (got < 0 && errno != EINTR)) break;
  }
  // Cgroups first: what runs in them may be what uses the swap.
  for (std::size_t at = 0, next = 0; at < size; at = next) {
    next = at + std::strlen(told + at) + 1;
    if (told[at] == kCgroup) remove_cgroup(told + at + 1);
  }
  for (std::size_t at = 0, next = 0; at < size; at = next) {
    next = at + std::strlen(told + at) + 1;
    if (told[at] == kSwap) remove_swap(told + at + 1);
    if (told[at] == kZram) reset_zram(told + at + 1);
  }
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
  tell(kSwap, path);
}

void Cleaner::will_make_cgroup(const std::string& path) {
  tell(kCgroup, path);
}

void Cleaner::will_set_up_zram(const std::string& name, std::uint64_t bytes) {
  tell(kZram, name + " " + std::to_string(bytes));
}

void Cleaner::tell(char kind, const std::string& what) {
  const bool is_path = kind != kZram;
  if (what.empty() || (is_path && what.front() != '/') || what.size() > kLongestPath)
    throw std::system_error(ENAMETOOLONG, std::generic_category(), what);
  const std::string line = kind + what;
  const auto bytes = static_cast<ssize_t>(line.size() + 1);
  if (::send(tool_end_.get(), line.c_str(), line.size() + 1, MSG_NOSIGNAL) != bytes)
    throw std::system_error(errno, std::generic_category(), "telling the cleaner");
}

}  // namespace heapmark::trial
