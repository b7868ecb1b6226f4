// See memory_cgroup.h. Files: Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst of the kernel.
#include "harness/trial/memory_cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>

#include "harness/machine/kernel_files.h"

namespace heapmark::trial {
namespace {

namespace fs = std::filesystem;
using machine::CgroupVersion;

constexpr char kPrefix[] = "heapmark-";  // then the number of the tool's process
// A process that was waited for may still be on its way out of its cgroup.
constexpr int kTries = 200;
constexpr timespec kBetweenTries{0, 5'000'000};

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kStep = 64 * kPageBytes;
// Where all tries fail there is nothing to take back, and the kernel may kill.
constexpr timespec kBetweenReliefs{0, 3'000'000};
constexpr int kMostTries = 300;

int members_of_last = -1;  // cgroup.procs of the cgroup made last

machine::MemoryHierarchy usable_hierarchy() {
  if (const std::string why = machine::why_no_memory_cgroup(); !why.empty()) throw CgroupRefused(why);
  return *machine::memory_hierarchy();
}

}  // namespace

CgroupPlace::CgroupPlace()
    : hierarchy_(usable_hierarchy()), path_(hierarchy_.mounted_at / (kPrefix + std::to_string(::getpid()))) {
  remove_left_cgroups(hierarchy_.mounted_at);
  if (hierarchy_.version == CgroupVersion::kV2) {
    const fs::path control = hierarchy_.mounted_at / "cgroup.subtree_control";
    if (machine::text_of(control).find("memory") == std::string::npos &&
        !(std::ofstream(control) << "+memory").flush())
      throw CgroupRefused(
          fmt::format("{} does not take +memory ({}): in a container its processes must first be "
                      "moved to a cgroup below; run on the machine itself",
                      control.string(), ::strerror(errno)));
  }
  cleaner_.will_make_cgroup(path_.string());
}

MemoryCgroup::MemoryCgroup(const CgroupPlace& place, std::uint64_t limit_bytes, bool with_swap)
    : version_(place.version()), path_(place.path()) {
  if (::mkdir(path_.c_str(), 0755) != 0)
    throw CgroupRefused(fmt::format("making {}: {}", path_.string(), ::strerror(errno)));
  try {
    members_ = Descriptor(::open((path_ / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (members_.get() < 0)
      throw CgroupRefused(fmt::format("{} cannot be joined: {}", path_.string(), ::strerror(errno)));
    set_limit(limit_bytes, with_swap);
  } catch (...) {
    ::rmdir(path_.c_str());
    throw;
  }
  members_of_last = members_.get();
}

MemoryCgroup::~MemoryCgroup() {
  members_of_last = -1;
  for (int tried = 0; tried < kTries && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++tried)
    ::nanosleep(&kBetweenTries, nullptr);
}

int MemoryCgroup::join() {
  return ::write(members_of_last, "0", 1) == 1 ? 0 : errno;  // "0": the writer itself
}

void MemoryCgroup::write(const char* file, const std::string& text) const {
  const Descriptor out(::open((path_ / file).c_str(), O_WRONLY | O_CLOEXEC));
  if (out.get() >= 0 && ::write(out.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()))
    return;
  const int error = errno;
  const bool of_swap = std::string_view(file).find("sw") != std::string_view::npos;
  throw CgroupRefused(fmt::format("{}: {}{}", (path_ / file).string(), ::strerror(error),
                                  of_swap ? ": boot with swapaccount=1, or choose --swap none on a machine "
                                            "without swap"
                                          : ""));
}

void MemoryCgroup::set_limit(std::uint64_t bytes, bool with_swap) {
  const bool keep_out_of_swap = bytes != 0 && !with_swap;
  if (version_ == CgroupVersion::kV2) {
    write("memory.max", bytes == 0 ? "max" : std::to_string(bytes));
    if (keep_out_of_swap && (machine::has_swap() || fs::exists(path_ / "memory.swap.max")))
      write("memory.swap.max", "0");
    return;
  }
  if (bytes == 0) return;  // a new cgroup has no limit
  limit_bytes_ = bytes;
  // memsw, memory and swap together, may not be below the limit of memory alone.
  write("memory.limit_in_bytes", std::to_string(bytes));
  if (keep_out_of_swap && (machine::has_swap() || fs::exists(path_ / "memory.memsw.limit_in_bytes")))
    write("memory.memsw.limit_in_bytes", std::to_string(bytes));
  if (with_swap) hold_back_killer();
}

// cgroup-v1/memory.rst, "OOM Control": a task that finds no memory sleeps, and an eventfd tells of it.
void MemoryCgroup::hold_back_killer() {
  out_of_memory_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  control_ = Descriptor(::open((path_ / "memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
  try {
    if (out_of_memory_.get() < 0 || control_.get() < 0) throw CgroupRefused("no notice of a lack of memory");
    write("cgroup.event_control", fmt::format("{} {}", out_of_memory_.get(), control_.get()));
    write("memory.oom_control", "1");
  } catch (const CgroupRefused&) {  // such a kernel kills at once
    out_of_memory_ = Descriptor();
  }
}

void MemoryCgroup::relieve() {
  std::uint64_t ignored = 0;
  (void)!::read(out_of_memory_.get(), &ignored, sizeof ignored);
  const auto set = [&](std::uint64_t bytes) {
    try {
      write("memory.limit_in_bytes", std::to_string(bytes));
      return true;
    } catch (const CgroupRefused&) {
      return false;  // busy: nothing could be taken back
    }
  };
  ++reliefs_;
  bool found_some = false;
  for (int tried = 0; tried < kMostTries && !found_some; ++tried) {
    if (tried > 0) ::nanosleep(&kBetweenReliefs, nullptr);
    (void)machine::text_of(path_ / "memory.stat");  // has the kernel bring its counters up to date
    found_some = limit_bytes_ > kStep && set(limit_bytes_ - kStep);
  }
  if (!found_some) {
    write("memory.oom_control", "0");
    out_of_memory_ = Descriptor();
    set(limit_bytes_ + kPageBytes);
  }
  // What sleeps is woken where the limit is raised.
  set(limit_bytes_);
}

std::optional<std::uint64_t> MemoryCgroup::peak_bytes() const {
  return machine::number_in(path_ /
                            (version_ == CgroupVersion::kV1 ? "memory.max_usage_in_bytes" : "memory.peak"));
}

std::uint64_t MemoryCgroup::oom_kills() const {
  return machine::number_behind(
             path_ / (version_ == CgroupVersion::kV1 ? "memory.oom_control" : "memory.events"), "oom_kill")
      .value_or(0);
}

std::optional<std::uint64_t> MemoryCgroup::swapped_out_bytes() const {
  const auto pages = machine::number_behind(path_ / "memory.stat", "pswpout");
  if (!pages) return std::nullopt;
  return *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<machine::Stalls> MemoryCgroup::stalls() const {
  return machine::read_stalls(path_ / "memory.pressure");
}

int remove_left_cgroups(const fs::path& mounted_at) {
  int removed = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(mounted_at, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    pid_t process = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + sizeof kPrefix - 1, end, process);
    if (error != std::errc{} || rest != end || process <= 0) continue;
    if (::kill(process, 0) == 0 || errno == EPERM) continue;
    if (::rmdir(entry.path().c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace heapmark::trial
