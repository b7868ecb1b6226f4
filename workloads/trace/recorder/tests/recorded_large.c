/* A program that writes to a known number of pages of its large blocks, for record_written_test.cc: each kind
 * of block has a size of its own. Every one is a mapping of its own on glibc, whose first page holds its
 * header. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

static void write_pages(void* block, size_t first, size_t count) {
  for (size_t page = first; page < first + count; ++page) ((volatile char*)block)[page * PAGE] = 1;
}

/* mincore(2) is refused from now on. */
static int refuse_mincore(void) {
  struct sock_filter lines[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog filter = {sizeof lines / sizeof lines[0], lines};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0
             ? 0
             : 1;
}

static void* volatile escaped;
static void* block_of(size_t bytes) {
  void* const block = malloc(bytes);
  escaped = block;
  return block;
}

static void* free_it(void* block) {
  free(block);
  return NULL;
}

static int blocks(void) {
  void* block = malloc(1000001);
  write_pages(block, 0, 3);
  errno = 1234;
  free(block);
  if (errno != 1234) return 1;

  block = malloc(1000002);
  write_pages(block, 0, 3);
  block = realloc(block, 2000002);
  write_pages(block, 300, 5);
  volatile size_t impossible = (size_t)1 << 62;
  if (realloc(block, impossible) != NULL) return 1;
  write_pages(block, 400, 2);
  free(block);

  block = calloc(1, 8000003);
  free(block);

  /* Pages between that nothing wrote to do not count. */
  block = malloc(1000004);
  write_pages(block, 200, 4);
  pthread_t thread;
  if (pthread_create(&thread, NULL, free_it, block) != 0) return 1;
  pthread_join(thread, NULL);

  /* Written to little by little, over a time, with events in between. */
  block = malloc(3000007);
  for (int step = 0; step < 10; ++step) {
    write_pages(block, 50 * (size_t)step, 50);
    for (int at = 0; at < 2000; ++at) free(block_of(100));
    usleep(10000);
    for (int at = 0; at < 2000; ++at) free(block_of(100));
  }
  free(block);

  /* As a whole: its last page too. */
  block = malloc(200005);
  memset(block, 1, 200005);
  free(block);

  /* Small enough not to be looked at. */
  block = malloc(49151);
  memset(block, 1, 10);
  free(block);

  /* Beyond its first 2 GiB it is sampled. */
  block = malloc((size_t)6000000006);
  if (block != NULL) {
    write_pages(block, 0, 7);
    write_pages(block, 300000, 1024);
    write_pages(block, 524288 + 4096, 2048);
    free(block);
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "";
  mallopt(M_MMAP_THRESHOLD, 128 * 1024);
  if (strcmp(what, "refused") == 0 && refuse_mincore() != 0) return 1;
  /* Lives to the end. */
  void* const kept = malloc(1000010);
  write_pages(kept, 0, 9);
  if (blocks() != 0) return 1;
  if (strcmp(what, "fork") == 0) {
    const pid_t child = fork();
    if (child == 0) {
      free(kept);
      void* const own = malloc(1000011);
      write_pages(own, 0, 4);
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return status;
  }
  /* Until the trace is there: the recording ends before the program does. */
  if (strcmp(what, "stay") == 0 && argc > 2) {
    const time_t begin = time(NULL);
    do {
      char* const block = block_of(1000013);
      write_pages(block, 0, 2);
      free(block);
    } while (access(argv[2], F_OK) != 0 && time(NULL) < begin + 60);
  }
  if (strcmp(what, "kill") == 0) {
    write_pages(block_of(1000012), 0, 1);
    raise(SIGKILL);
  }
  return 0;
}
