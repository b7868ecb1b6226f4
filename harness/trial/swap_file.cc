// See swap_file.h.
#include "harness/trial/swap_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "harness/machine/memory_pressure.h"

namespace heapmark::trial {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "heapmark-swap-";  // then the number of the tool's process
constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLeaveFree = 256 * kMiB;  // of the disk

// The first page of a swap file: include/linux/swap.h, union swap_header, version 1.
struct SwapHeader {
  char boot_bits[1024];
  std::uint32_t version, last_page, bad_pages;
};

[[noreturn]] void refuse(const std::string& what, int error, const std::string& advice) {
  throw SwapRefused(fmt::format("{}: {}: {}", what, ::strerror(error), advice));
}

void write_all(int fd, const void* data, std::size_t bytes, const fs::path& path) {
  if (::pwrite(fd, data, bytes, 0) != static_cast<ssize_t>(bytes))
    refuse("writing " + path.string(), errno, "choose another folder");
}

// Blocks of its own for the whole file, as swapon demands, and the header.
void make_file(const fs::path& path, std::uint64_t bytes) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) refuse("making " + path.string(), errno, "choose a folder that can be written to");
  if (const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); error != 0)
    refuse(fmt::format("{} MiB for {}", bytes / kMiB, path.string()), error,
           "make room, or choose a folder on another disk");
  write_swap_header(file.get(), bytes, path);
}

bool is_alive(pid_t process) {
  return ::kill(process, 0) == 0 || errno == EPERM;
}

}  // namespace

void write_swap_header(int fd, std::uint64_t bytes, const fs::path& path) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<char> first(page, '\0');
  const SwapHeader header{{}, 1, static_cast<std::uint32_t>(bytes / page - 1), 0};
  ::memcpy(first.data(), &header, sizeof header);
  constexpr char kSignature[] = "SWAPSPACE2";
  ::memcpy(first.data() + page - (sizeof kSignature - 1), kSignature, sizeof kSignature - 1);
  write_all(fd, first.data(), page, path);
  if (::fsync(fd) != 0) refuse("writing " + path.string(), errno, "choose another folder");
}

int use_swap(const fs::path& path, BesideOther beside) {
  constexpr int kFirst = SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK;  // the highest priority
  return ::swapon(path.c_str(), beside == BesideOther::kYes ? kFirst : 0) == 0 ? 0 : errno;
}

std::string why_no_swap_file(const fs::path& folder, std::uint64_t bytes, BesideOther beside) {
  if (::geteuid() != 0) return "only root can make a swap file: run it as root";
  if (beside == BesideOther::kNo && machine::has_swap())
    return "this machine has swap already: it is used, and no file is made";
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    return fmt::format("the folder {} cannot be used for a swap file: {}", folder.string(),
                       ::strerror(errno));
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (free_bytes < bytes + kLeaveFree)
    return fmt::format("{} has {} MiB free, a swap file needs {} and {} to spare: make room", folder.string(),
                       free_bytes / kMiB, bytes / kMiB, kLeaveFree / kMiB);
  return "";
}

SwapFile::SwapFile(const fs::path& folder, std::uint64_t bytes, BesideOther beside)
    : path_(fs::absolute(folder) / (kPrefix + std::to_string(::getpid()))) {
  remove_left_swap_files(folder);
  if (const std::string why = why_no_swap_file(folder, bytes, beside); !why.empty()) throw SwapRefused(why);
  cleaner_.will_make_swap(path_.string());
  make_file(path_, bytes);
  if (const int error = use_swap(path_, beside); error != 0)
    refuse("swapon " + path_.string(), error,
           error == EPERM ? "this container may not use swap; run it on the machine itself"
                          : "this file system takes no swap files (ext4 and xfs do): choose another folder");
}

int remove_left_swap_files(const fs::path& folder) {
  int removed = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const char* const digits = name.c_str() + sizeof kPrefix - 1;
    const char* const end = name.c_str() + name.size();
    pid_t process = 0;
    const auto [rest, error] = std::from_chars(digits, end, process);
    if (error != std::errc{} || rest != end || process <= 0 || is_alive(process)) continue;
    if (::swapoff(entry.path().c_str()) != 0 && errno != EINVAL) continue;  // EINVAL: it is not in use
    if (::unlink(entry.path().c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace heapmark::trial
