// See conductor.h.
#include "harness/trial/conductor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace heapmark::trial {
namespace {

using Clock = std::chrono::steady_clock;

// Nothing announces that a process was stopped by a signal: it is looked for this often.
constexpr std::chrono::milliseconds kLook{200};

bool is_stopped(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid;
}

}  // namespace

Conductor::Conductor(SessionMemory& memory, int interrupted_fd)
    : memory_(memory),
      interrupted_fd_(interrupted_fd),
      turn_ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (turn_ended_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

TurnEnd Conductor::turn(Player& player) {
  memory_.grant(player.seat);
  return wait(player);
}

TurnEnd Conductor::wait(Player& player) {
  const auto begin = Clock::now();
  const auto end = [&](TurnEnd how) {
    const auto took = Clock::now() - begin;
    player.used += took;
    player.left -= took;
    return how;
  };
  for (;;) {
    if (memory_.seat(player.seat).ended.load(std::memory_order_acquire) != player.turns_ended) {
      ++player.turns_ended;
      return end(TurnEnd::kEnded);
    }
    const auto left = player.left - (Clock::now() - begin);
    if (left <= left.zero()) return end(TurnEnd::kTimedOut);
    pollfd fds[] = {
        {turn_ended_.get(), POLLIN, 0}, {player.pidfd.get(), POLLIN, 0}, {interrupted_fd_, POLLIN, 0}};
    const auto sleep = std::min<std::chrono::nanoseconds>(left, kLook);
    const int ready =
        ::poll(fds, 3, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(sleep).count()));
    if (ready < 0 && errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "waiting for a turn's end");
    if (ready < 0) continue;
    if (fds[2].revents != 0) return end(TurnEnd::kInterrupted);
    if (fds[0].revents != 0) {
      eventfd_t count = 0;
      (void)::eventfd_read(turn_ended_.get(), &count);
      continue;
    }
    if (fds[1].revents != 0) return end(TurnEnd::kExited);
    if (is_stopped(player.pid)) return end(TurnEnd::kStopped);
  }
}

}  // namespace heapmark::trial
