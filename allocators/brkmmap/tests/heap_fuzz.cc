// brkmmap's heap over a kernel that refuses at random: which calls, how often, for which addresses and how
// long is drawn from the seed, and changes while the heap works.
//     heapmark-heap-fuzz [--seconds N] [--seed N] [--once]
// Each run has a seed of its own, the next one the next; --once does the first only. Exits 0 where all runs
// were clean, 1 with one line that names seed and step at the first that was not, 2 on bad arguments.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include "allocators/brkmmap/tests/trial_heap.h"

using namespace brkmmap;

namespace {

constexpr int kSteps = 6000;      // of a run
constexpr int kStepsAPlan = 400;  // at most
constexpr int kCheckEvery = 32;
constexpr std::size_t kMostCallsOfAFree = 400, kMostCallsAFree = 8;  // see refusals_test
constexpr std::size_t kEndless = 1'000'000;

struct Options {
  std::uint64_t seconds = 10, seed = 1;
  bool once = false;
};

// Of one call in three a plan of its own, else of some calls together; one in four refuses nothing.
fake::Plan random_plan(std::mt19937_64& random) {
  fake::Plan plan;
  if (random() % 4 == 0) return plan;
  plan.calls = random() % 3 == 0 ? 1u << random() % 10 : static_cast<unsigned>(random()) & fake::kAny;
  plan.seed = random();
  if (random() % 3 == 0) plan.from = 1 + random() % 40;
  if (random() % 2 == 0) plan.permille = 50 + static_cast<unsigned>(random() % 950);
  if (random() % 3 == 0) {
    plan.period = 2 + random() % 60;
    plan.burst = 1 + random() % plan.period;
  }
  if (random() % 4 == 0) {
    const bool of_break = random() % 2 == 0;
    plan.low = of_break ? fake::mappings() - (std::size_t{256} << 20) : fake::mappings();
    plan.low += (random() % 64) << 20;
    plan.high = random() % 2 == 0 ? UINTPTR_MAX : plan.low + ((1 + random() % 64) << 20);
  }
  return plan;
}

void set_tunables(Heap& heap, std::mt19937_64& random) {
  const auto maybe = [&random](Tunable& tunable, std::uint64_t value) {
    if (random() % 4 == 0) tunable.set(value);
  };
  maybe(heap.tunables.dynamic, 0);
  maybe(heap.tunables.top_pad, random() % 2 == 0 ? 0 : 1 << 20);
  maybe(heap.tunables.purge_threshold, 4096 << random() % 8);
  maybe(heap.tunables.release_threshold, 4096 << random() % 8);
  maybe(heap.tunables.trim_threshold, 4096 << random() % 8);
}

Wrong judge_calls(const TrialHeap& trial) {
  if (fake::limit_was_passed()) return "kernel calls without end";
  if (trial.most_calls_of_a_free() > kMostCallsOfAFree) return "one free made too many kernel calls";
  if (trial.calls_of_frees() > kMostCallsAFree * trial.frees() + kMostCallsOfAFree)
    return "frees made too many kernel calls on average";
  return nullptr;
}

Wrong run(std::uint64_t seed, int* step) {
  std::mt19937_64 random(seed);
  TrialHeap trial(random());
  set_tunables(trial.heap(), random);
  if (random() % 2 == 0) fake::allow_growth();
  fake::limit_calls(kEndless);
  int next_plan = 0;
  for (*step = 0; *step < kSteps; ++*step) {
    if (*step == next_plan) {
      fake::refuse(random_plan(random));
      next_plan += 1 + static_cast<int>(random() % kStepsAPlan);
    }
    if (const Wrong wrong = trial.step()) return wrong;
    if (*step % kCheckEvery != 0) continue;
    if (const Wrong wrong = trial.check_balance()) return wrong;
    if (const Wrong wrong = judge_calls(trial)) return wrong;
  }
  const bool recovers = random() % 2 == 0;
  if (recovers) fake::refuse({});
  if (const Wrong wrong = trial.free_all()) return wrong;
  if (const Wrong wrong = judge_calls(trial)) return wrong;
  fake::refuse({});
  return trial.check_given_back();
}

bool read_options(int argc, char** argv, Options* options) {
  for (int at = 1; at < argc; ++at) {
    const std::string_view word = argv[at];
    if (word == "--once") {
      options->once = true;
      continue;
    }
    if ((word != "--seconds" && word != "--seed") || at + 1 == argc) return false;
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(argv[++at], &end, 10);
    if (*end != '\0' || end == argv[at]) return false;
    (word == "--seed" ? options->seed : options->seconds) = value;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!read_options(argc, argv, &options)) {
    std::fputs("heapmark-heap-fuzz [--seconds N] [--seed N] [--once]\n", stderr);
    return 2;
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  std::uint64_t runs = 0, refusals = 0;
  do {
    int step = 0;
    const Wrong wrong = run(options.seed + runs, &step);
    if (wrong != nullptr) {
      std::printf("seed %" PRIu64 ", step %d: %s\n", options.seed + runs, step, wrong);
      return 1;
    }
    ++runs;
    refusals += fake::refusals();
  } while (!options.once && std::chrono::steady_clock::now() < until);
  std::printf("%" PRIu64 " runs of %d steps from seed %" PRIu64 ", %" PRIu64 " calls refused\n", runs, kSteps,
              options.seed, refusals);
  return refusals == 0 && !options.once ? 1 : 0;
}
