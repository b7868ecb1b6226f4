// One writer a results file: a lock file beside it (FILE.lock), locked by flock(2) for as long as the writer
// lives and removed at its end. The kernel drops the lock of a writer that was killed, so that a lock file
// left behind locks nothing. Where a file system has no locks, none is taken.
#pragma once

#include <filesystem>
#include <stdexcept>

namespace heapmark::record {

// Another process writes the file; the message says which.
class FileInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ResultsLock {
 public:
  // Throws FileInUse, and std::system_error where the lock file cannot be made.
  explicit ResultsLock(const std::filesystem::path& results);
  ~ResultsLock();
  ResultsLock(const ResultsLock&) = delete;
  ResultsLock& operator=(const ResultsLock&) = delete;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace heapmark::record
