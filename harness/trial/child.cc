// See child.h.
#include "harness/trial/child.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <system_error>

namespace heapmark::trial {
namespace {

constexpr std::size_t kLastWords = 400;

[[noreturn]] void fail(const char* doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

std::vector<std::string> arguments_of(const std::string& host_program, const TrialSpec& spec, int report_fd) {
  std::vector<std::string> arguments{host_program,
                                     "run",
                                     "--workload=" + spec.workload,
                                     "--seed=" + std::to_string(spec.seed),
                                     "--pass=" + spec.pass,
                                     "--library=" + spec.library,
                                     "--report-fd=" + std::to_string(report_fd)};
  for (const auto& [name, value] : spec.parameters) arguments.push_back("--set=" + name + "=" + value);
  if (spec.check) arguments.emplace_back("--check");
  return arguments;
}

// One shape for all allocators; nothing of the user's environment but where programs and libraries lie.
std::vector<std::string> environment_of(const TrialSpec& spec, std::size_t padding) {
  std::vector<std::string> environment{"LC_ALL=C", "LD_PRELOAD=" + spec.preload,
                                       "HEAPMARK_PADDING=" + std::string(padding, 'x')};
  for (const char* name : {"PATH", "HOME", "LD_LIBRARY_PATH"})
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  for (const auto& [name, value] : spec.environment) environment.push_back(name + "=" + value);
  return environment;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The highest priority, where this process may have it (root, CAP_SYS_NICE): other load of its cgroup gets
// about a hundredth of a CPU that this wants. A process session of its own is a group of its own to the
// scheduler (sched(7), autogroups), and a nice value counts only within a group; the group's is written
// beside it.
void come_before_others() {
  ::setsid();
  if (::setpriority(PRIO_PROCESS, 0, -20) != 0) return;
  const int group = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (group < 0) return;
  (void)!::write(group, "-20", 3);
  ::close(group);
}

// Runs in the child between fork and exec: system calls only.
[[noreturn]] void become(char* const* argv, char* const* envp, const std::vector<int>& kept, int error_fd,
                         int null_fd, pid_t parent, bool is_speed_pass, BeforeExec before_exec) {
  if (is_speed_pass)
    come_before_others();
  else
    ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(null_fd, STDIN_FILENO);
  ::dup2(null_fd, STDOUT_FILENO);
  ::dup2(error_fd, STDERR_FILENO);
  for (const int fd : kept) ::fcntl(fd, F_SETFD, 0);
  for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (before_exec != nullptr && before_exec() != 0) ::_exit(126);
  ::execve(argv[0], argv, envp);
  constexpr char kMessage[] = "cannot be executed";
  (void)!::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  ::_exit(127);
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

SharedReport::SharedReport() : fd_(::memfd_create("heapmark-report", MFD_CLOEXEC)) {
  if (fd_.get() < 0 || ::ftruncate(fd_.get(), sizeof(Report)) != 0) fail("making the report's shared memory");
  void* memory = ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED) fail("mapping the report");
  report_ = static_cast<Report*>(memory);
}

SharedReport::~SharedReport() {
  ::munmap(report_, sizeof(Report));
}

void kill_all_of(const Child& child) {
  ::kill(-child.pid, SIGKILL);
  ::kill(child.pid, SIGKILL);  // it may not have a group of its own yet
}

Child start_child(const std::string& host_program, const TrialSpec& spec, int report_fd, std::size_t padding,
                  BeforeExec before_exec, const HandedOver& more) {
  Child child;
  child.standard_error = Descriptor(::memfd_create("heapmark-stderr", MFD_CLOEXEC));
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (child.standard_error.get() < 0 || null.get() < 0) fail("starting the measured process");
  std::vector<std::string> arguments = arguments_of(host_program, spec, report_fd);
  arguments.insert(arguments.end(), more.arguments.begin(), more.arguments.end());
  std::vector<int> kept = more.descriptors;
  kept.push_back(report_fd);
  std::vector<std::string> environment = environment_of(spec, padding);
  const std::vector<char*> argv = pointers_to(arguments), envp = pointers_to(environment);
  const pid_t parent = ::getpid();
  const bool is_speed_pass = spec.pass == "speed";
  child.pid = ::fork();
  if (child.pid < 0) fail("starting the measured process");
  if (child.pid == 0)
    become(argv.data(), envp.data(), kept, child.standard_error.get(), null.get(), parent, is_speed_pass,
           before_exec);
  if (!is_speed_pass) ::setpgid(child.pid, child.pid);  // both do it: whoever comes first
  return child;
}

std::size_t padding_for(const TrialSpec& spec) {
  std::seed_seq seed{spec.seed, spec.id, std::uint64_t{spec.round}};
  std::mt19937 random(seed);
  return random() % 4096;
}

std::string now_utc() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
}

std::string last_words(const Descriptor& standard_error) {
  struct stat file {};
  if (::fstat(standard_error.get(), &file) != 0) return "";
  const off_t from = std::max<off_t>(0, file.st_size - static_cast<off_t>(kLastWords));
  std::string text(kLastWords, '\0');
  const ssize_t got = ::pread(standard_error.get(), text.data(), text.size(), from);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace heapmark::trial
