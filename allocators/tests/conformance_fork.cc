// fork beside stdio: glibc's fork takes the lock of all streams, fflush(NULL) waits for a stream while it
// holds that lock, and a getline allocates while it holds its stream. A malloc whose handler of fork takes
// its own locks before closes the circle (glibc bug 19431). CONFORMANCE_SECONDS: how long, 1 if unset.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "allocators/tests/check.h"

using namespace heapmark::conformance;

namespace {

constexpr int kForkers = 2, kReaders = 3;
constexpr std::size_t kLineBytes = 20'000, kLines = 20;
constexpr unsigned kHangSeconds = 30;  // beyond the time that was asked for: some 10,000 times a fork

std::atomic<bool> g_stop{false};
std::atomic<unsigned long> g_forks{0}, g_lines{0}, g_flushes{0};
std::atomic<pid_t> g_children[kForkers];
std::atomic<int> g_wrong{0};

void report_hang(int) {
  constexpr char kText[] = "fork, getline and fflush wait for each other\n";
  for (const std::atomic<pid_t>& child : g_children)
    if (child > 0) ::kill(child, SIGKILL);
  _exit(::write(STDOUT_FILENO, kText, sizeof kText - 1) > 0 ? 1 : 3);
}

void fork_again_and_again(int number) {
  while (!g_stop) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    g_children[number] = child;
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) ++g_wrong;
    g_children[number] = 0;
    ++g_forks;
  }
}

// Every line anew from an empty buffer, which grows while the stream is locked.
void read_again_and_again(int fd) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  while (!g_stop) {
    FILE* stream = std::fopen(path, "r");
    if (stream == nullptr) {
      ++g_wrong;
      return;
    }
    for (std::size_t at = 0; at < kLines && !g_stop; ++at) {
      char* line = nullptr;
      std::size_t room = 0;
      if (getline(&line, &room, stream) != static_cast<ssize_t>(kLineBytes)) ++g_wrong;
      std::free(line);
      ++g_lines;
    }
    std::fclose(stream);
  }
}

bool write_lines(int fd) {
  char line[kLineBytes];
  std::memset(line, 'x', sizeof line);
  line[sizeof line - 1] = '\n';
  for (std::size_t at = 0; at < kLines; ++at)
    if (::write(fd, line, sizeof line) != static_cast<ssize_t>(sizeof line)) return false;
  return true;
}

unsigned seconds_asked_for() {
  const char* text = std::getenv("CONFORMANCE_SECONDS");
  const unsigned long seconds = text == nullptr ? 1 : std::strtoul(text, nullptr, 10);
  return seconds == 0 ? 1 : static_cast<unsigned>(seconds);
}

}  // namespace

MALLOC_CHECK(threads_fork_while_others_read_and_flush_streams) {
  const int fd = memfd_create("lines", MFD_CLOEXEC);
  EXPECT(fd >= 0 && write_lines(fd));
  const unsigned seconds = seconds_asked_for();
  ::signal(SIGALRM, report_hang);
  ::alarm(seconds + kHangSeconds);
  std::vector<std::thread> threads;
  for (int at = 0; at < kForkers; ++at) threads.emplace_back(fork_again_and_again, at);
  for (int at = 0; at < kReaders; ++at) threads.emplace_back(read_again_and_again, fd);
  threads.emplace_back([] {
    for (; !g_stop; ++g_flushes) std::fflush(nullptr);
  });
  ::sleep(seconds);
  g_stop = true;
  for (std::thread& thread : threads) thread.join();
  ::alarm(0);
  EXPECT(g_wrong == 0);
  EXPECT(g_forks > 0 && g_lines > 0 && g_flushes > 0);
  return "";
}
