// See launch.h.
#include "harness/trial/launch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

namespace heapmark::trial {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

void join(const std::string& directory) {
  const int fd = ::open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  (void)!::write(fd, "0", 1);
  ::close(fd);
}

}  // namespace

SharedKept::SharedKept() {
  void* memory = ::mmap(nullptr, sizeof(Kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "shared memory");
  kept_ = new (memory) Kept;
}

SharedKept::~SharedKept() {
  ::munmap(kept_, sizeof(Kept));
}

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void close_others(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd < static_cast<int>(from)) continue;
    if (static_cast<unsigned>(fd) > from) ::syscall(SYS_close_range, from, static_cast<unsigned>(fd) - 1, 0U);
    from = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, from, ~0U, 0U);
}

void become(const Launch& launch, const TreeCgroup& cgroup, Kept& kept, BeforeExec before_exec) {
  const auto give_up = [&] {
    kept.start_error = errno;
    ::_exit(127);
  };
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const std::string& directory : cgroup.directories())
    join(directory);  // where it may not be joined it bounds nothing, and /proc is asked instead
  if (!cgroup.has_pids() && launch.process_limit > 0) {
    // Of the user, not of this tree: the only bound there is where no cgroup can be made (setrlimit(2)).
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, launch.process_limit);
    ::setrlimit(RLIMIT_NPROC, &limit);
  }
  ::dup2(launch.standard_input, STDIN_FILENO);
  ::dup2(launch.standard_output, STDOUT_FILENO);
  ::dup2(launch.standard_error, STDERR_FILENO);
  close_others({});
  if (!launch.directory.empty() && ::chdir(launch.directory.c_str()) != 0) {
    kept.at_directory = true;
    give_up();
  }
  for (int signal = 1; signal < SIGRTMAX; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const std::vector<char*> argv = pointers_to(launch.words), envp = pointers_to(launch.environment);
  if (launch.stopped) ::raise(SIGSTOP);
  if (before_exec != nullptr) {
    errno = before_exec();
    if (errno != 0) give_up();
  }
  kept.start_ns = monotonic_ns();
  ::execvpe(argv[0], argv.data(), envp.data());
  give_up();
  ::_exit(127);
}

}  // namespace heapmark::trial
