// See results_lock.h.
#include "harness/record/results_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace heapmark::record {
namespace {

// "process 4711 on the host box", as the holder wrote it.
std::string holder_in(int fd) {
  std::array<char, 256> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size() - 1, 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : holder;
}

void write_holder(int fd) {
  std::array<char, 128> host{};
  (void)::gethostname(host.data(), host.size() - 1);
  const std::string holder =
      "process " + std::to_string(::getpid()) + " on the host " + std::string(host.data()) + "\n";
  (void)!::ftruncate(fd, 0);
  (void)!::pwrite(fd, holder.data(), holder.size(), 0);
}

// The last holder may have removed the file between our opening and our locking it.
bool is_still_there(int fd, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

}  // namespace

ResultsLock::ResultsLock(const std::filesystem::path& results) : path_(results.string() + ".lock") {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "making " + path_.string());
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      if (error != EWOULDBLOCK) return;
      const std::string holder = holder_in(fd_);
      ::close(fd_);
      throw FileInUse(results.string() + " is being written by " + holder +
                      ": wait for its end, or choose another -o");
    }
    if (is_still_there(fd_, path_)) break;
    ::close(fd_);
  }
  write_holder(fd_);
}

ResultsLock::~ResultsLock() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace heapmark::record
