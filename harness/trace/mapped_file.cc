#include "harness/trace/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "harness/trace/bad_trace.h"

namespace heapmark::trace {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto failed = [&](int error) {
    return std::system_error(error, std::generic_category(), path.string());
  };
  // O_NONBLOCK: a pipe that nobody writes to is to be refused, not to be waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw failed(errno);
  struct stat status {};
  int error = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  const bool regular = error == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) {
    count_ = static_cast<std::size_t>(status.st_size);
    at_ = ::mmap(nullptr, count_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (at_ == MAP_FAILED) error = errno;
  }
  ::close(descriptor);
  if (error != 0) throw failed(error);
  if (!regular)
    throw BadTrace(path.string() + ": it is a " + (S_ISDIR(status.st_mode) ? "folder" : "pipe or device") +
                   "; a regular file is needed");
}

void MappedFile::drop_before(std::size_t offset) {
  constexpr std::size_t kStep = std::size_t{1} << 22;  // a few calls only; a multiple of every page size
  const std::size_t end = offset / kStep * kStep;
  if (end <= dropped_) return;
  ::madvise(static_cast<char*>(at_) + dropped_, end - dropped_, MADV_DONTNEED);
  dropped_ = end;
}

MappedFile::~MappedFile() {
  if (at_ != nullptr) ::munmap(at_, count_);
}

}  // namespace heapmark::trace
