// Stands in for the measured process in the tests of the executor: takes the same command line, and behaves
// as the name of its workload says.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "harness/trial/tests/fake_session.h"
#include "workloads/contract/report.h"

namespace {

using namespace heapmark;

Report* report;

void stage(Stage stage) {
  report->stage.store(static_cast<std::uint32_t>(stage));
}

void fill_in() {
  report->magic = kReportMagic;
  report->version = kReportVersion;
  report->operations = 42;
  std::strcpy(report->malloc_library, "/made/up.so");
  std::strcpy(report->phase_names[0], "steady");
  report->phase_count = 1;
  std::strcpy(report->metrics[0].name, "answer");
  report->metrics[0].value = 42;
  std::strcpy(report->metrics[1].name, "unknown");
  report->metrics[1].value = kNotMeasured;
  report->metric_count = 2;
  ReportTable& table = report->tables[0];
  std::strcpy(table.name, "steps");
  std::strcpy(table.columns[0], "one");
  std::strcpy(table.columns[1], "two");
  table.column_count = 2;
  table.row_count = 2;
  table.first_text = 0;
  for (int at = 0; at < 4; ++at) report->cells[at] = at;
  std::strcpy(report->texts[1], "second");
  report->table_count = 1;
}

void done(Outcome outcome) {
  report->outcome = static_cast<std::uint32_t>(outcome);
  stage(Stage::kDone);
  _exit(0);
}

void* in_thread(void*) {
  void* memory = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(memory, 8192);
  return nullptr;
}

// Each kernel call of the ledger a known number of times; the same before and after, where it must not count.
void known_calls() {
  const auto move_break = [](long to) { return syscall(SYS_brk, to); };
  const long start = move_break(0);
  move_break(start + 3 * 4096);
  move_break(start + 4096);
  move_break(start);
  char* memory = static_cast<char*>(
      mmap(nullptr, 10 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(memory, 4 * 4096, MADV_DONTNEED);
  madvise(memory, 4096, MADV_FREE);
  madvise(memory, 4096, MADV_WILLNEED);  // no purge
  madvise(memory, 4096, 12345);          // refused, as the next five are
  move_break(1);                         // below where the heap begins
  (void)mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(memory + 1, 4096);
  (void)mremap(memory, 4096, 8192, 0);  // no room to grow in place
  (void)mremap(memory, 4096, 0, MREMAP_MAYMOVE);
  munmap(memory + 4096, 4096);  // a hole
  munmap(memory, 2 * 4096);     // one page of it is there still
  memory = static_cast<char*>(mremap(memory + 2 * 4096, 8 * 4096, 16 * 4096, MREMAP_MAYMOVE));
  munmap(memory, 16 * 4096);
  munmap(memory, 16 * 4096);  // nothing is there any more: no release
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  static char stack[256 * 1024] __attribute__((aligned(4096)));
  pthread_attr_setstack(&attributes, stack, sizeof stack);
  pthread_create(&thread, &attributes, in_thread, nullptr);
  pthread_join(thread, nullptr);
  const pid_t child = fork();  // follows, and is not counted
  if (child == 0) {
    in_thread(nullptr);
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

int cpus_of_this_thread() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
}

// Metric 0: CPUs that this process may use before any counted call; 1: after the first, while it has one
// thread; 2: the fewest that it, any of two threads, or a thread of the second may use from then on.
int fewest_cpus;
pthread_mutex_t fewest_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_attr_t stack_of(int number) {
  static char stacks[3][256 * 1024] __attribute__((aligned(4096)));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stacks[number], sizeof stacks[number]);
  return attributes;
}
void note_cpus() {
  pthread_mutex_lock(&fewest_lock);
  if (const int now = cpus_of_this_thread(); now < fewest_cpus) fewest_cpus = now;
  pthread_mutex_unlock(&fewest_lock);
}
void* counting_thread(void* next) {
  note_cpus();
  if (next == nullptr) return nullptr;
  pthread_t thread;
  const pthread_attr_t attributes = stack_of(2);
  pthread_create(&thread, &attributes, counting_thread, nullptr);
  pthread_join(thread, nullptr);
  return nullptr;
}
void count_cpus() {
  fewest_cpus = cpus_of_this_thread();
  report->metrics[0].value = fewest_cpus;
  in_thread(nullptr);
  report->metrics[1].value = cpus_of_this_thread();
  pthread_t threads[2];
  for (int at = 0; at < 2; ++at) {
    const pthread_attr_t attributes = stack_of(at);
    pthread_create(&threads[at], &attributes, counting_thread, at == 1 ? &threads : nullptr);
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  note_cpus();
  std::strcpy(report->metrics[0].name, "cpus_before");
  std::strcpy(report->metrics[1].name, "cpus_alone");
  std::strcpy(report->metrics[2].name, "cpus_with_threads");
  report->metrics[2].value = fewest_cpus;
  report->metric_count = 3;
}

}  // namespace

int main(int argc, char** argv) {
  std::string workload;
  int fd = -1;
  bool checks = false;
  fake::SeatArguments seat;
  for (int at = 1; at < argc; ++at) {
    const std::string word = argv[at];
    if (word.starts_with("--workload=")) workload = word.substr(11);
    if (word.starts_with("--report-fd=")) fd = std::stoi(word.substr(12));
    if (word.starts_with("--session-fd=")) seat.session_fd = std::stoi(word.substr(13));
    if (word.starts_with("--turn-ended-fd=")) seat.turn_ended_fd = std::stoi(word.substr(16));
    if (word.starts_with("--seat=")) seat.seat = static_cast<unsigned>(std::stoi(word.substr(7)));
    if (word == "--check") checks = true;
  }
  void* memory = mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 1;
  report = static_cast<Report*>(memory);
  fill_in();
  if (workload == "early exit") return 3;
  if (workload == "warm up") known_calls();
  stage(Stage::kWorkload);
  if (workload == "exits at once") return 3;
  if (seat.session_fd >= 0) fake::take_turns(seat, workload);
  if (workload == "crash") raise(SIGSEGV);
  if (workload == "abort") {
    std::fputs("malloc(): corrupted\nheap\n", stderr);
    std::abort();
  }
  if (workload == "eats memory") {
    for (;;) {
      constexpr std::size_t kBytes = 1024 * 1024;
      void* more = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      std::memset(more, 1, kBytes);
    }
  }
  if (workload == "killed") raise(SIGKILL);
  if (workload == "hang") {
    if (fork() == 0) {  // a child of its own, which must not outlive it
      std::string path = std::getenv("HOME");
      for (;;) pause();
    }
    for (;;) pause();
  }
  if (workload == "leaves a child" && fork() == 0) {
    setpgid(0, 0);  // and has left the group
    for (;;) pause();
  }
  if (workload == "silent") _exit(0);
  if (workload == "wrong") {
    std::strcpy(report->message, "malloc is another's");
    done(Outcome::kWrongAllocator);
  }
  if (workload == "garbage") {
    report->metric_count = report->table_count = report->phase_count = 0xFFFFFFF0;
    for (ReportTable& table : report->tables) {
      table.column_count = table.row_count = 0xFFFFFFF0;
      table.first_cell = 0xFFFFFF00;
      std::memset(table.name, 'x', sizeof table.name);
    }
    raise(SIGBUS);
  }
  if (workload == "environment") {
    extern char** environ;
    for (char** at = environ; *at != nullptr; ++at) std::fprintf(stderr, "%.60s|", *at);
    std::fprintf(stderr, "check=%d", checks);
    report->outcome = static_cast<std::uint32_t>(Outcome::kCheckFailed);
    stage(Stage::kDone);
    _exit(0);
  }
  if (workload == "cpus") count_cpus();
  if (workload == "known calls" || workload == "warm up") {
    if (workload == "known calls") known_calls();
    stage(Stage::kFinished);
    known_calls();
  }
  done(Outcome::kOk);
}
