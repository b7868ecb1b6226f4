// See tree_cgroup.h.
#include "harness/trial/tree_cgroup.h"

#include <unistd.h>

#include <fstream>

#include "harness/machine/kernel_files.h"
#include "harness/machine/own_cgroup.h"

namespace heapmark::trial {
namespace {

namespace fs = std::filesystem;

bool write(const fs::path& file, const std::string& text) {
  std::ofstream out(file);
  return static_cast<bool>(out << text << std::flush);
}

// Where this process is in that hierarchy, or "" where nothing of it can be seen.
fs::path own_directory(const fs::path& root, const std::string& controller) {
  const fs::path own = machine::own_cgroup(root, controller).visible();
  std::error_code error;
  return fs::exists(own, error) ? own : fs::path();
}

}  // namespace

TreeCgroup TreeCgroup::make(const std::string& name, unsigned process_limit, const fs::path& root) {
  TreeCgroup made;
  const auto make_in = [&](const std::string& controller) -> std::string {
    const fs::path own = own_directory(root, controller);
    std::error_code error;
    if (own.empty() || !fs::create_directory(own / name, error)) return "";
    made.directories_.push_back(own / name);
    return own / name;
  };
  made.pids_ = make_in("pids");
  made.memory_ = make_in("memory");
  if (made.directories_.empty()) {
    // Version 2: a controller can be used where the parent passes it on, which one with processes cannot.
    const std::string all = make_in("");
    made.unified_ = true;
    std::error_code error;
    if (!all.empty() && fs::exists(all + "/pids.max", error)) made.pids_ = all;
    if (!all.empty() && fs::exists(all + "/memory.stat", error)) made.memory_ = all;
  }
  if (made.has_pids()) (void)write(made.pids_ + "/pids.max", std::to_string(process_limit));
  return made;
}

std::vector<int> TreeCgroup::processes() const {
  std::vector<int> all;
  for (const std::string& directory : directories_) {
    std::ifstream in(directory + "/cgroup.procs");
    for (int pid = 0; in >> pid;) all.push_back(pid);
    if (!all.empty()) break;
  }
  return all;
}

std::uint64_t TreeCgroup::forks_refused() const {
  return has_pids() ? machine::number_behind(pids_ + "/pids.events", "max").value_or(0) : 0;
}

std::optional<std::uint64_t> TreeCgroup::anonymous_bytes() const {
  if (!has_memory()) return std::nullopt;
  return machine::number_behind(memory_ + "/memory.stat", unified_ ? "anon" : "total_rss");
}

std::uint64_t TreeCgroup::oom_kills() const {
  if (!has_memory()) return 0;
  return machine::number_behind(memory_ + (unified_ ? "/memory.events" : "/memory.oom_control"), "oom_kill")
      .value_or(0);
}

void TreeCgroup::forbid_forks() const {
  if (has_pids()) (void)write(pids_ + "/pids.max", "0");
}

void TreeCgroup::remove() const {
  for (const std::string& directory : directories_) ::rmdir(directory.c_str());
}

}  // namespace heapmark::trial
