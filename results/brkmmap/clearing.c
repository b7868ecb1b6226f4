// What it costs to give 72 MiB back and to get them again, without any allocator: one byte of each page is
// written, then all pages go back, twelve times; milliseconds of the last nine, in the median.
//   gcc -O2 -o /tmp/clearing results/brkmmap/clearing.c && /tmp/clearing > results/brkmmap/clearing.txt
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { kRounds = 12, kWarm = 3 };
static const size_t kBytes = (size_t)72 << 20, kHuge = (size_t)2 << 20;

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static int by_size(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double median(double* values) {
  qsort(values, kRounds - kWarm, sizeof *values, by_size);
  return values[(kRounds - kWarm) / 2];
}

static int measure(const char* what, int advice, size_t given_back_at_once) {
  char* mapped = mmap(NULL, kBytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return 1;
  char* memory = mapped + (kHuge - (size_t)mapped % kHuge) % kHuge;
  if (madvise(memory, kBytes, advice) != 0) return 1;
  double writing[kRounds - kWarm], giving[kRounds - kWarm];
  for (int round = 0; round < kRounds; ++round) {
    const double begin = now_ms();
    for (size_t at = 0; at < kBytes; at += 4096) ((volatile char*)memory)[at] = 1;
    const double written = now_ms();
    for (size_t at = 0; given_back_at_once != 0 && at < kBytes; at += given_back_at_once)
      if (madvise(memory + at, given_back_at_once, MADV_DONTNEED) != 0) return 1;
    if (round < kWarm) continue;
    writing[round - kWarm] = written - begin;
    giving[round - kWarm] = now_ms() - written;
  }
  printf("%-34s writes %6.2f ms, gives back %5.2f ms\n", what, median(writing), median(giving));
  munmap(mapped, kBytes + kHuge);
  return 0;
}

int main(void) {
  return measure("kept", MADV_NOHUGEPAGE, 0) | measure("given back, huge pages", MADV_HUGEPAGE, kHuge) |
         measure("given back, small pages, 1 MiB each", MADV_NOHUGEPAGE, (size_t)1 << 20);
}
