// See tree_watch.h.
#include "harness/trial/tree_watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "harness/machine/kernel_files.h"

namespace heapmark::trial {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
constexpr int kShare = 120;  // looking may take 1/kShare of the time
constexpr std::chrono::milliseconds kLeastBetween{1};
// Without samples: soon after the start, then ever more seldom.
constexpr std::chrono::milliseconds kFirstProof{5};
// A look that takes longer would make samples scarce: the cgroup tells the same sum in microseconds.
constexpr std::chrono::milliseconds kLongLook{1};
constexpr std::size_t kMostMarks = 1000;

double ns_between(TreeWatch::Clock::time_point from, TreeWatch::Clock::time_point to) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
}

std::string program_of(pid_t process) {
  char name[64] = {};
  const int fd = ::open(fmt::format("/proc/{}/comm", process).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  const ssize_t size = ::read(fd, name, sizeof name - 1);
  ::close(fd);
  return size > 1 ? std::string(name, static_cast<std::size_t>(size - 1)) : "";
}

// What this thread has used of a CPU: where it waits for one, the program misses nothing.
TreeWatch::Clock::duration cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// NaN where none can be read.
double sum_of(const std::vector<pid_t>& processes) {
  double sum = kNotMeasured;
  for (const pid_t process : processes)
    if (const double one = anonymous_bytes_of(process); !std::isnan(one))
      sum = std::isnan(sum) ? one : sum + one;
  return sum;
}

// NaN where the kernel does not tell.
double cgroup_bytes(const TreeCgroup& cgroup) {
  const auto bytes = cgroup.anonymous_bytes();
  return bytes ? static_cast<double>(*bytes) : kNotMeasured;
}

// A process that ends lets go of its memory before its pages are free.
bool has_memory(pid_t process) {
  return machine::number_in(fmt::format("/proc/{}/statm", process)).value_or(0) != 0;
}

}  // namespace

TreeWatch::Clock::time_point next_look(TreeWatch::Clock::time_point began, TreeWatch::Clock::time_point now,
                                       TreeWatch::Clock::duration cost) {
  return std::max<TreeWatch::Clock::time_point>(began + cost * kShare, now + kLeastBetween);
}

double anonymous_bytes_of(pid_t process) {
  char text[4096];
  const int fd = ::open(fmt::format("/proc/{}/smaps_rollup", process).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return kNotMeasured;
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return kNotMeasured;
  text[size] = '\0';
  const char* found = std::strstr(text, "Pss_Anon:");
  if (found == nullptr) found = std::strstr(text, "Anonymous:");  // before Linux 5.4
  if (found == nullptr) return kNotMeasured;
  return std::strtod(std::strchr(found, ':') + 1, nullptr) * 1024;
}

void MemorySeries::add(const Row& row) {
  if (samples_ == 0) {
    first_ns_ = row.time_ns;
    peak_ = row.rss_bytes;
  } else {
    area_ += last_.rss_bytes * (row.time_ns - last_.time_ns);  // what was held until the next was seen
    peak_ = std::max(peak_, row.rss_bytes);
  }
  last_ = row;
  if (samples_++ % stride_ == 0) rows_.push_back(row);
  if (rows_.size() < kMostRows) return;
  std::size_t kept = 0;
  for (std::size_t at = 0; at < rows_.size(); at += 2) rows_[kept++] = rows_[at];
  rows_.resize(kept);
  stride_ *= 2;
}

double MemorySeries::mean_bytes() const {
  return samples_ < 2 || !(last_.time_ns > first_ns_) ? kNotMeasured : area_ / (last_.time_ns - first_ns_);
}

double MemorySeries::last_bytes() const {
  return samples_ == 0 ? kNotMeasured : last_.rss_bytes;
}

TreeWatch::TreeWatch(const TrialSpec& spec, What what)
    : what_(what),
      next_(began_ + (what == What::kMemoryToo ? kLeastBetween : kFirstProof)),
      proofs_(spec.preload, spec.library) {
  if (what == What::kMemoryToo) began_ = Clock::now();
}

void TreeWatch::note_processes(const std::vector<pid_t>& processes, double time_ns) {
  const auto mark = [&](int kind, pid_t process, const std::string& program) {
    if (marks_.size() < kMostMarks)
      marks_.push_back({time_ns, kind, static_cast<double>(process), program});
    else
      ++dropped_marks_;
  };
  for (auto at = known_.begin(); at != known_.end();) {
    if (std::find(processes.begin(), processes.end(), at->first) != processes.end()) {
      ++at;
      continue;
    }
    mark(1, at->first, at->second.program);
    at = known_.erase(at);
  }
  constexpr unsigned kLooksAtNew = 3;  // it may yet exec
  for (const pid_t process : processes) {
    const auto [at, fresh] = known_.try_emplace(process);
    Process& one = at->second;
    if (one.looks++ < kLooksAtNew || one.looks % 16 == 0) {
      const std::string program = program_of(process);
      if (fresh || program != one.program) {
        mark(fresh ? 0 : 2, process, program);
        one.program = program;
        one.settled = false;
      }
      if (!one.settled || one.looks % 64 == 0) {
        const ProcessLook look = look_at(process);
        const auto read = cpu_time();
        one.settled = proofs_.judge(look) != Proof::kUnknown;
        not_looking_ += cpu_time() - read;  // files are read, nothing of the process
      }
    }
  }
  most_processes_ = std::max(most_processes_, processes.size());
}

// Until then it is a copy of its keeper, whose memory is not the command's.
bool TreeWatch::has_become_the_command(const Keeper& keeper) {
  constexpr int kMostTries = 100;  // the command may be heapmark itself
  if (has_begun_ || ++tries_ > kMostTries) return true;
  const pid_t main = keeper.kept().main;
  char own[PATH_MAX], its[PATH_MAX];
  const ssize_t own_size = ::readlink("/proc/self/exe", own, sizeof own);
  const ssize_t size = ::readlink(fmt::format("/proc/{}/exe", main).c_str(), its, sizeof its);
  has_begun_ = size > 0 && std::string_view(own, static_cast<std::size_t>(std::max<ssize_t>(own_size, 0))) !=
                               std::string_view(its, static_cast<std::size_t>(size));
  return has_begun_;
}

double TreeWatch::look(const TreeRun& run, std::uint32_t phase) {
  const Keeper& keeper = run.keeper();
  const auto start = Clock::now();
  const auto cpu_start = cpu_time();
  if (!has_become_the_command(keeper)) {
    next_ = start + kLeastBetween;
    return kNotMeasured;
  }
  const double time_ns = ns_between(began_, start);
  const std::vector<pid_t> processes = processes_below(keeper.pid());
  double bytes = kNotMeasured;
  if (what_ == What::kMemoryToo) {
    bytes = by_cgroup_ ? cgroup_bytes(run.cgroup()) : sum_of(processes);
    // Read while the last process went, it is no memory that the command held.
    if (by_cgroup_ && std::none_of(processes.begin(), processes.end(), has_memory)) bytes = kNotMeasured;
    by_cgroup_ |= cpu_time() - cpu_start > kLongLook && run.cgroup().has_memory();
    if (!std::isnan(bytes)) {
      series_.add({time_ns, bytes, static_cast<double>(processes.size()), phase});
    }
  }
  note_processes(processes, time_ns);
  ++looks_;
  const auto end = Clock::now();
  cost_ += cpu_time() - cpu_start - std::exchange(not_looking_, {});
  if (what_ == What::kMemoryToo) {
    next_ = next_look(began_, end, cost_);
  } else {
    next_ = end + std::max<Clock::duration>(end - began_, cost_ * kShare);
  }
  return bytes;
}

void TreeWatch::add_to(TrialResult& result) const {
  const double passed = ns_between(began_, Clock::now());
  const double share = passed > 0 ? ns_between({}, Clock::time_point(cost_)) / passed : kNotMeasured;
  if (what_ == What::kProofAlone) return;
  result.rss_source = by_cgroup_ ? "smaps_rollup, then memory.stat" : "smaps_rollup";
  result.metrics["sampling_share"] = share;
  result.metrics["samples"] = static_cast<double>(series_.samples());
  result.metrics["processes_peak"] = static_cast<double>(most_processes_);
  Table& samples = result.tables["tree_samples"];
  samples.columns = {"time_ns", "rss_bytes", "processes", "phase"};
  for (const MemorySeries::Row& row : series_.rows())
    samples.rows.push_back({row.time_ns, row.rss_bytes, row.processes, static_cast<double>(row.phase)});
  Table& marks = result.tables["tree_marks"];
  marks.columns = {"time_ns", "kind", "process"};
  for (const Mark& mark : marks_) {
    marks.rows.push_back({mark.time_ns, static_cast<double>(mark.kind), mark.process});
    marks.texts.push_back(mark.program);
  }
  marks.dropped_rows = dropped_marks_;
}

}  // namespace heapmark::trial
