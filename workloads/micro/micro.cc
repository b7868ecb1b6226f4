// The micro set: nanoseconds of single calls on whatever malloc this program runs on, by Google Benchmark.
// Says nothing about memory; the standard workloads do. Run it under an allocator by preload:
//   heapmark exec -a jemalloc -- heapmark-micro
// The context of its JSON holds `malloc_library`, the file that malloc was resolved to.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <random>
#include <vector>

namespace {

void* escaped(void* block) {
  benchmark::DoNotOptimize(block);
  return block;
}

// One block asked for, its first byte written, and freed at once: the path that caches are made for.
void pair(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    char* block = static_cast<char*>(escaped(std::malloc(bytes)));
    *block = 1;
    std::free(block);
  }
  state.SetItemsProcessed(state.iterations());
}

enum Order { kInOrder, kReversed, kShuffled };

std::vector<std::size_t> order_of(std::size_t count, Order order) {
  std::vector<std::size_t> places(count);
  for (std::size_t at = 0; at < count; ++at) places[at] = order == kReversed ? count - 1 - at : at;
  if (order == kShuffled) std::shuffle(places.begin(), places.end(), std::mt19937(1));
  return places;
}

// Many blocks asked for, then freed: in order, reversed or shuffled.
void batch(benchmark::State& state, Order order) {
  const auto count = static_cast<std::size_t>(state.range(0)),
             bytes = static_cast<std::size_t>(state.range(1));
  const std::vector<std::size_t> places = order_of(count, order);
  std::vector<void*> blocks(count);
  for (auto _ : state) {
    for (void*& block : blocks) {
      block = escaped(std::malloc(bytes));
      *static_cast<char*>(block) = 1;
    }
    for (const std::size_t place : places) std::free(blocks[place]);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

// A buffer that doubles from 64 bytes to 4 MiB, as a growing vector does.
void realloc_growth(benchmark::State& state) {
  for (auto _ : state) {
    char* block = nullptr;
    for (std::size_t bytes = 64; bytes <= 4 << 20; bytes *= 2) {
      block = static_cast<char*>(escaped(std::realloc(block, bytes)));
      block[bytes - 1] = 1;
    }
    std::free(block);
  }
}

// A step of a buffer that grows by 1 KiB at a time, up to 1 MiB: readers of a stream of unknown length.
void realloc_step(benchmark::State& state) {
  constexpr std::size_t kStep = 1 << 10, kMost = 1 << 20;
  char* block = nullptr;
  std::size_t bytes = 0;
  for (auto _ : state) {
    if (bytes == kMost) {
      std::free(block);
      block = nullptr;
      bytes = 0;
    }
    bytes += kStep;
    block = static_cast<char*>(escaped(std::realloc(block, bytes)));
    block[bytes - 1] = 1;
  }
  std::free(block);
  state.SetItemsProcessed(state.iterations());
}

// As pair, by C++'s operators.
void new_delete(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    char* block = static_cast<char*>(escaped(::operator new(bytes)));
    *block = 1;
    ::operator delete(block);
  }
  state.SetItemsProcessed(state.iterations());
}

void zeroed(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) std::free(escaped(std::calloc(1, bytes)));
  state.SetItemsProcessed(state.iterations());
}

void aligned(benchmark::State& state) {
  const auto alignment = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    char* block = static_cast<char*>(escaped(std::aligned_alloc(alignment, 4 * alignment)));
    *block = 1;
    std::free(block);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(pair)->RangeMultiplier(4)->Range(16, 16 << 10)->Arg(32 << 10)->Arg(256 << 10)->Arg(1 << 20);
BENCHMARK(pair)->RangeMultiplier(8)->Range(16, 8 << 10)->Threads(4)->UseRealTime();
BENCHMARK_CAPTURE(batch, in_order, kInOrder)->ArgsProduct({{100, 10'000}, {64, 1024}});
BENCHMARK_CAPTURE(batch, reversed, kReversed)->ArgsProduct({{100, 10'000}, {64, 1024}});
BENCHMARK_CAPTURE(batch, shuffled, kShuffled)->ArgsProduct({{100, 10'000}, {64, 1024}});
BENCHMARK_CAPTURE(batch, shuffled, kShuffled)->Args({100, 64})->Args({10'000, 64})->Threads(4)->UseRealTime();
BENCHMARK(realloc_growth);
BENCHMARK(realloc_step);
BENCHMARK(new_delete)->Arg(64)->Arg(512);
BENCHMARK(zeroed)->Arg(64)->Arg(4096)->Arg(256 << 10);
BENCHMARK(aligned)->Arg(64)->Arg(4096);

}  // namespace

int main(int argc, char** argv) {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&std::malloc), &info) != 0 && info.dli_fname != nullptr)
    benchmark::AddCustomContext("malloc_library", info.dli_fname);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
