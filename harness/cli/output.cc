// See output.h.
#include "harness/cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "harness/plan/usage_error.h"

namespace heapmark::cli {

void fill_standard_descriptors() {
  // Read-only: what is written there fails, as it would have.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDONLY);
}

std::string flush_standard_output() {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0) return "";
  return std::string("standard output cannot be written") + (error != 0 ? ": " : "") +
         (error != 0 ? std::strerror(error) : "");
}

void require_file_name(const std::string& flag, const std::string& name) {
  if (name == "-")
    throw UsageError(flag + " takes a file: results are never written to standard output. Give a name, and " +
                     "print it by: heapmark show FILE --format csv");
  std::error_code error;
  if (std::filesystem::is_directory(name, error)) throw UsageError(flag + ": " + name + " is a folder");
}

}  // namespace heapmark::cli
