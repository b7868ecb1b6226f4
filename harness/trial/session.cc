// See session.h.
#include "harness/trial/session.h"

#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>
#include <random>
#include <system_error>

#include "harness/machine/oom_kills.h"
#include "harness/trial/child.h"
#include "harness/trial/conductor.h"
#include "harness/trial/report_reader.h"

namespace heapmark::trial {
namespace {

using Random = std::mt19937_64;

// Fisher and Yates; std::shuffle may differ from one standard library to the next.
template <typename T>
void shuffle(std::vector<T>& values, Random& random) {
  for (std::size_t left = values.size(); left > 1; --left)
    std::swap(values[left - 1], values[random() % left]);
}

Random random_of(const std::vector<TrialSpec>& specs) {
  std::seed_seq seed{specs.front().seed, std::uint64_t{specs.front().round}, specs.front().id,
                     std::uint64_t{specs.size()}};
  return Random(seed);
}

std::vector<std::uint32_t> allowed_cpus() {
  std::vector<std::uint32_t> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (std::uint32_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

// One trial of the session: its process, and what became of it.
struct Member {
  explicit Member(const TrialSpec& spec) : spec(&spec) {}
  const TrialSpec* spec;
  TrialResult result;
  std::unique_ptr<SharedReport> report;
  Child child;
  Player player;
  bool running = false;
  std::vector<double> places;  // in the order of each slice, from 1
  std::optional<int> nice;     // as it runs
};

class RunningSession {
 public:
  RunningSession(const std::string& host_program, const std::vector<TrialSpec>& specs, int interrupted_fd)
      : host_program_(host_program),
        random_(random_of(specs)),
        cpus_(drawn_cpus()),
        memory_(static_cast<std::uint32_t>(specs.size()), cpus_),
        conductor_(memory_, interrupted_fd) {
    for (const TrialSpec& spec : specs) members_.emplace_back(spec);
  }
  ~RunningSession() {
    for (Member& member : members_)
      if (member.running) (void)reap(member);
  }
  RunningSession(const RunningSession&) = delete;
  RunningSession& operator=(const RunningSession&) = delete;

  std::vector<TrialResult> run() {
    for (Member& member : members_) start(member);
    for (Member* member : drawn_order(false)) take_turn(*member);  // it fills its heap
    for (bool first = true; !timed_part_is_over(); first = false) run_slice(first);
    for (Member* member : drawn_order(false)) take_turn(*member);  // it ends
    for (Member& member : members_)
      if (member.running) fail(member, Outcome::kError, "it asked for a turn more than a session has");
    std::vector<TrialResult> results;
    for (Member& member : members_) results.push_back(std::move(member.result));
    return results;
  }

 private:
  std::vector<std::uint32_t> drawn_cpus() {
    std::vector<std::uint32_t> cpus = allowed_cpus();
    shuffle(cpus, random_);
    return cpus;
  }

  // Of those that still run. The first member comes first where it has to choose the length of a slice.
  std::vector<Member*> drawn_order(bool first_member_first) {
    std::vector<Member*> order;
    for (Member& member : members_)
      if (member.running) order.push_back(&member);
    shuffle(order, random_);
    const auto first = std::find(order.begin(), order.end(), &members_.front());
    if (first_member_first && first != order.end()) std::rotate(order.begin(), first, first + 1);
    return order;
  }

  [[nodiscard]] bool is_over(const Member& member) const {
    return memory_.seat(member.player.seat).timed_part_over.load() != 0;
  }
  [[nodiscard]] bool timed_part_is_over() const {
    return std::all_of(members_.begin(), members_.end(),
                       [&](const Member& member) { return !member.running || is_over(member); });
  }

  void start(Member& member) {
    const auto seat = static_cast<std::uint32_t>(&member - members_.data());
    const TrialSpec& spec = *member.spec;
    member.result.started = now_utc();
    member.result.environment_padding = padding_for(spec);
    member.report = std::make_unique<SharedReport>();
    if (interrupted_) {
      member.result.outcome = Outcome::kInterrupted;
      return;
    }
    const HandedOver handed{{fmt::format("--session-fd={}", memory_.fd()), fmt::format("--seat={}", seat),
                             fmt::format("--turn-ended-fd={}", conductor_.turn_ended_fd())},
                            {memory_.fd(), conductor_.turn_ended_fd()}};
    member.child = start_child(host_program_, spec, member.report->fd(), member.result.environment_padding,
                               nullptr, handed);
    member.running = true;
    member.player.pid = member.child.pid;
    member.player.pidfd = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, member.child.pid, 0)));
    if (member.player.pidfd.get() < 0)
      throw std::system_error(errno, std::generic_category(), "watching the measured process");
    member.player.seat = seat;
    member.player.left = spec.timeout;
    react(member, conductor_.wait_until_ready(member.player));
    if (member.running) member.nice = ::getpriority(PRIO_PROCESS, static_cast<id_t>(member.child.pid));
  }

  void run_slice(bool first) {
    double place = 0;
    for (Member* member : drawn_order(first)) {
      ++place;
      if (!member->running || is_over(*member)) continue;
      member->places.push_back(place);
      take_turn(*member);
    }
  }

  void take_turn(Member& member) {
    if (member.running) react(member, conductor_.turn(member.player));
  }

  void react(Member& member, TurnEnd end) {
    switch (end) {
      case TurnEnd::kEnded:
        return;
      case TurnEnd::kExited:
        finish(member, ended_by_itself(member));
        return;
      case TurnEnd::kTimedOut:
        finish(member,
               {.timed_out = true, .interrupted = false, .wait_status = reap(member), .oom_kill = {}});
        return;
      case TurnEnd::kStopped:
        fail(member, Outcome::kCrashed, "stopped by a signal from outside, and then ended");
        return;
      case TurnEnd::kInterrupted:
        interrupted_ = true;
        for (Member& one : members_)
          if (one.running)
            finish(one, {.timed_out = false, .interrupted = true, .wait_status = reap(one), .oom_kill = {}});
        return;
    }
  }

  // Each kill that the kernel counted is that of one process of the session.
  Ending ended_by_itself(Member& member) {
    Ending ending{.timed_out = false, .interrupted = false, .wait_status = reap(member), .oom_kill = {}};
    if (!WIFSIGNALED(ending.wait_status) || WTERMSIG(ending.wait_status) != SIGKILL) return ending;
    ending.oom_kill = machine::oom_kill_between(oom_counters_, machine::read_oom_counters());
    if (ending.oom_kill != machine::OomKill::kNone) ++oom_counters_.kills;
    return ending;
  }

  int reap(Member& member) {
    int status = 0;
    kill_all_of(member.child);
    while (::waitpid(member.child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    member.running = false;
    return status;
  }

  void finish(Member& member, const Ending& ending) {
    const Report& report = member.report->get();
    read_report(report, member.result);
    judge_ending(report, ending, member.spec->timeout, last_words(member.child.standard_error),
                 member.result);
    if (member.result.outcome == Outcome::kOk && !report.message[0]) member.result.message.clear();
    if (member.result.outcome != Outcome::kOk && !member.places.empty() && !is_over(member))
      member.result.message += fmt::format(" (in slice {})", member.places.size());
    describe(member);
  }

  void fail(Member& member, Outcome outcome, const char* why) {
    (void)reap(member);
    read_report(member.report->get(), member.result);
    member.result.outcome = outcome;
    member.result.message = why;
    if (!member.places.empty() && !is_over(member))
      member.result.message += fmt::format(" (in slice {})", member.places.size());
    describe(member);
  }

  // Its slices and its part in the session.
  void describe(Member& member) {
    const Seat& seat = memory_.seat(member.player.seat);
    const std::size_t count = std::min<std::size_t>(seat.slice_count.load(), kMaxSlices);
    member.result.wall_seconds = std::chrono::duration<double>(member.player.used).count();
    Table table{.columns = {"first_unit", "units", "wall_ns", "cpu_ns", "queue_ns", "minor_faults",
                            "major_faults", "voluntary_switches", "involuntary_switches", "place"},
                .rows = {},
                .texts = {},
                .dropped_rows = 0};
    const auto number = [](auto value) { return static_cast<double>(value); };
    for (std::size_t at = 0; at < count; ++at) {
      const SliceRecord& slice = seat.slices[at];
      table.rows.push_back(
          {number(slice.first_unit), number(slice.units), number(slice.wall_ns), number(slice.cpu_ns),
           slice.queue_ns == kNoQueueTime ? std::nan("") : number(slice.queue_ns), number(slice.minor_faults),
           number(slice.major_faults), number(slice.voluntary_switches), number(slice.involuntary_switches),
           at < member.places.size() ? member.places[at] : std::nan("")});
    }
    Lockstep lockstep;
    lockstep.slices = count;
    // So large a number stands for work that was shorter than a slice.
    lockstep.slice_units = memory_.session().slice_units.load();
    if (count == 1) lockstep.slice_units = seat.slices[0].units;
    lockstep.threads = seat.threads;
    lockstep.waited_ns = seat.waited_ns;
    lockstep.nice = member.nice;
    const auto pinned = std::min<std::size_t>(seat.cpu_count, cpus_.size());
    lockstep.cpus.assign(cpus_.begin(), cpus_.begin() + static_cast<std::ptrdiff_t>(pinned));
    member.result.lockstep = lockstep;
    member.result.tables["slices"] = std::move(table);
  }

  const std::string& host_program_;
  Random random_;
  std::vector<std::uint32_t> cpus_;
  SessionMemory memory_;
  Conductor conductor_;
  std::vector<Member> members_;
  machine::OomCounters oom_counters_ = machine::read_oom_counters();
  bool interrupted_ = false;
};

}  // namespace

std::vector<TrialResult> run_session(const std::string& host_program, const std::vector<TrialSpec>& specs,
                                     int interrupted_fd) {
  return RunningSession(host_program, specs, interrupted_fd).run();
}

}  // namespace heapmark::trial
