// See keeper.h. The keeper itself was forked from heapmark: it shares nothing with it but `Kept` and a
// socket.
#include "harness/trial/keeper.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace heapmark::trial {
namespace {

constexpr timespec kBetweenSweeps{0, 2'000'000};

void add_numbers_in(const char* path, std::vector<pid_t>& all) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  pid_t number = 0;
  for (ssize_t got; (got = ::read(fd, text, sizeof text)) > 0;)
    for (ssize_t at = 0; at < got; ++at) {
      if (text[at] >= '0' && text[at] <= '9') {
        number = number * 10 + (text[at] - '0');
      } else if (number != 0) {
        all.push_back(number);
        number = 0;
      }
    }
  if (number != 0) all.push_back(number);
  ::close(fd);
}

// The children of every thread of `process`; proc(5), "/proc/pid/task/tid/children".
void add_children(pid_t process, std::vector<pid_t>& all) {
  char path[96];
  std::snprintf(path, sizeof path, "/proc/%d/task", process);
  DIR* const tasks = ::opendir(path);
  if (tasks == nullptr) return;
  while (const dirent* task = ::readdir(tasks)) {
    if (task->d_name[0] == '.') continue;
    std::snprintf(path, sizeof path, "/proc/%d/task/%.12s/children", process, task->d_name);
    add_numbers_in(path, all);
  }
  ::closedir(tasks);
}

class Keeping {
 public:
  Keeping(Kept& kept, const TreeCgroup& cgroup, int socket) : kept_(kept), cgroup_(cgroup), socket_(socket) {}

  [[noreturn]] void keep(int ended) {
    bool told_to_end = false;
    while (!kept_.ended && !told_to_end) {
      pollfd fds[] = {{ended, POLLIN, 0}, {socket_, POLLIN, 0}};
      if (::poll(fds, 2, -1) < 0) continue;
      if (fds[0].revents != 0) {
        signalfd_siginfo info;
        (void)!::read(ended, &info, sizeof info);
        reap();
      }
      char byte = 0;
      if (fds[1].revents != 0) {
        const ssize_t got = ::recv(socket_, &byte, 1, MSG_DONTWAIT);
        told_to_end = got >= 0 || errno != EAGAIN;  // a byte: end_all(); none: heapmark is gone
      }
    }
    end_what_is_left();
    (void)::send(socket_, "", 1, MSG_NOSIGNAL);
    ::_exit(0);
  }

 private:
  // What has ended, without waiting. False where there is no child any more.
  bool reap() {
    for (;;) {
      int status = 0;
      const pid_t child = ::waitpid(-1, &status, WNOHANG | __WALL);
      if (child == 0) return true;
      if (child < 0) return errno != ECHILD;
      if (child != kept_.main || kept_.ended) continue;
      kept_.wait_status = status;
      kept_.end_ns = monotonic_ns();
      kept_.ended = true;
    }
  }

  void end_what_is_left() {
    const bool ended_itself = kept_.ended;
    (void)reap();
    kept_.forks_refused = cgroup_.forks_refused();  // while there is a cgroup
    kept_.oom_kills = cgroup_.oom_kills();
    cgroup_.forbid_forks();
    for (bool first = true;; first = false) {
      std::vector<pid_t> left = processes_below(::getpid());
      for (const pid_t process : cgroup_.processes())
        if (std::find(left.begin(), left.end(), process) == left.end()) left.push_back(process);
      if (first && ended_itself) kept_.left_behind = static_cast<unsigned>(left.size());
      // All are stopped before the first is ended: none can start another meanwhile.
      for (const pid_t process : left) ::kill(process, SIGSTOP);
      for (const pid_t process : left) ::kill(process, SIGKILL);
      if (!reap() && left.empty()) break;
      ::nanosleep(&kBetweenSweeps, nullptr);
    }
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    kept_.user_seconds = seconds(used.ru_utime);
    kept_.system_seconds = seconds(used.ru_stime);
    kept_.minor_faults = static_cast<std::uint64_t>(used.ru_minflt);
    kept_.major_faults = static_cast<std::uint64_t>(used.ru_majflt);
    cgroup_.remove();
    kept_.gone = true;
  }

  Kept& kept_;
  const TreeCgroup& cgroup_;
  int socket_;
};

[[noreturn]] void be_keeper(const Launch& launch, const TreeCgroup& cgroup, Kept& kept, int socket) {
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  close_others({socket, launch.standard_input, launch.standard_output, launch.standard_error});
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const int ended = ::signalfd(-1, &ends, SFD_CLOEXEC);
  const pid_t child = ended < 0 ? -1 : ::fork();
  if (child == 0) become(launch, cgroup, kept);
  if (child < 0) {
    kept.start_error = errno;
    kept.ended = true;
  }
  kept.main = child;
  if (child > 0) ::setpgid(child, child);  // both do it: whoever comes first
  // heapmark reads until nothing of the tree can write any more: the keeper must not be able to.
  const int null = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  close_others({socket, ended});
  (void)::send(socket, "", 1, MSG_NOSIGNAL);  // it has started
  Keeping(kept, cgroup, socket).keep(ended);
}

}  // namespace

std::vector<pid_t> processes_below(pid_t root) {
  std::vector<pid_t> all;
  add_children(root, all);
  for (std::size_t at = 0; at < all.size(); ++at) add_children(all[at], all);
  return all;
}

Keeper::Keeper(const Launch& launch, const TreeCgroup& cgroup) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::system_error(errno, std::generic_category(), "starting the command's keeper");
  Descriptor keepers_end(ends[0]);
  socket_ = Descriptor(ends[1]);
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "starting the command's keeper");
  if (pid_ == 0) be_keeper(launch, cgroup, kept_.get(), keepers_end.get());
  keepers_end = Descriptor();
  char started = 0;
  while (::recv(socket_.get(), &started, 1, 0) < 0 && errno == EINTR) {
  }
}

Keeper::~Keeper() {
  end_all();
  wait_until_gone();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Keeper::signal_main(int signal) const {
  if (kept_.get().main > 0 && !kept_.get().ended) ::kill(-kept_.get().main, signal);
}

void Keeper::end_all() const {
  (void)::send(socket_.get(), "", 1, MSG_NOSIGNAL);
}

void Keeper::wait_until_gone() const {
  char byte = 0;
  while (::recv(socket_.get(), &byte, 1, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace heapmark::trial
