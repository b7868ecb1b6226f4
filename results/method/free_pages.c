/* What the first write to a page costs: of memory that has been free for a while, and of memory that was
 * freed just before. Where both take alike the machine keeps its free pages; where the first takes longer,
 * they are handed back to the host of the virtual machine.
 *
 *   gcc -O2 -o free_pages results/method/free_pages.c && ./free_pages 1024 > results/method/free_pages.txt
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

/* Microseconds a page. */
static double write_all(size_t bytes, size_t page, int advice) {
  char* memory = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  char* first = (char*)(((size_t)memory + page - 1) / page * page);
  madvise(first, bytes, advice);
  double start = now_us();
  for (size_t at = 0; at < bytes; at += page) first[at] = 1;
  double took = (now_us() - start) / (bytes / page);
  munmap(memory, bytes + page);
  return took;
}

int main(int count, char** words) {
  size_t bytes = (size_t)(count > 1 ? atol(words[1]) : 1024) << 20;
  printf("%-8s %26s %22s\n", "page", "free for 10 s, us a page", "freed just before");
  for (int round = 0; round < 2; ++round) {
    for (int huge = 0; huge < 2; ++huge) {
      size_t page = huge ? 2 << 20 : 4096;
      int advice = huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
      sleep(10);
      double cold = write_all(bytes, page, advice);
      double warm = write_all(bytes, page, advice);
      printf("%-8s %26.1f %22.1f\n", huge ? "2 MiB" : "4 KiB", cold, warm);
      fflush(stdout);
    }
  }
  return 0;
}
