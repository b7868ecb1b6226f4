// What the kernel says of this process: sizes, faults, mappings. For programs on a malloc under test: nothing
// here asks for memory, so that a figure is that of the test and not of its reading (proc(5), getrusage(2)).
// A figure that cannot be read ends the process: it is never 0.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace heapmark::process {

namespace detail {

[[noreturn]] inline void cannot_read(const char* what) {
  constexpr char kText[] = ": cannot be read\n";
  if (::write(STDERR_FILENO, what, std::strlen(what)) < 0) ::_exit(3);
  if (::write(STDERR_FILENO, kText, sizeof kText - 1) < 0) ::_exit(3);
  ::_exit(3);
}

}  // namespace detail

namespace detail {

// The kibibytes of the line `key: ...` of a file in /proc, in bytes.
inline std::size_t bytes_of_line(const char* path, const char* key) {
  char text[8192];
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = fd < 0 ? -1 : ::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  if (length <= 0) cannot_read(path);
  text[length] = '\0';
  const std::size_t key_length = std::strlen(key);
  for (const char* line = text; line != nullptr; line = std::strchr(line, '\n')) {
    if (*line == '\n') ++line;
    if (std::strncmp(line, key, key_length) == 0 && line[key_length] == ':')
      return std::strtoull(line + key_length + 1, nullptr, 10) * 1024;
  }
  cannot_read(key);
}

}  // namespace detail

// "VmSize", "VmData".
inline std::size_t status_bytes(const char* key) {
  return detail::bytes_of_line("/proc/self/status", key);
}

// Resident anonymous memory, counted page by page: RssAnon may be some hundred KiB behind (proc(5)).
inline std::size_t resident_bytes() {
  return detail::bytes_of_line("/proc/self/smaps_rollup", "Anonymous");
}

inline std::uint64_t minor_faults() {
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) detail::cannot_read("getrusage");
  return static_cast<std::uint64_t>(usage.ru_minflt);
}

inline std::size_t mappings() {
  static char text[1 << 16];
  const int fd = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) detail::cannot_read("/proc/self/maps");
  std::size_t lines = 0;
  for (ssize_t length; (length = ::read(fd, text, sizeof text)) > 0;)
    for (ssize_t at = 0; at < length; ++at) lines += text[at] == '\n';
  ::close(fd);
  if (lines == 0) detail::cannot_read("/proc/self/maps");
  return lines;
}

// The first number in a file, such as one below /proc/sys.
inline unsigned long number_in(const char* path) {
  char text[64] = {};
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t length = fd < 0 ? -1 : ::read(fd, text, sizeof text - 1);
  if (fd >= 0) ::close(fd);
  if (length <= 0) detail::cannot_read(path);
  return std::strtoul(text, nullptr, 10);
}

// The soft limit becomes `bytes`, or the hard limit where that is lower. False where the kernel refuses.
inline bool set_limit(int resource, std::size_t bytes) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || bytes < limit.rlim_max ? bytes : limit.rlim_max;
  return ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0;
}

// The soft limit becomes the hard one.
inline bool lift_limit(int resource) {
  return set_limit(resource, RLIM_INFINITY);
}

}  // namespace heapmark::process
