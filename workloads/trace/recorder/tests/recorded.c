/* A program whose allocations record_test.cc knows to the last one: the first argument says what it does, and
 * each kind of block has a size of its own, which nothing else asks for. It allocates by hand-written calls
 * only, so that what is counted is what the source says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

static void* volatile escaped;

static void* block_of(size_t bytes) {
  void* const block = malloc(bytes);
  escaped = block;
  return block;
}

static void pairs(long count, size_t bytes) {
  for (long at = 0; at < count; ++at) free(block_of(bytes));
}

/* Before the constructors of any library. */
static void preinit(int argc, char** argv, char** environment) {
  (void)environment;
  if (argc > 1 && strcmp(argv[1], "early") == 0)
    for (int at = 0; at < 3; ++at) escaped = malloc(3009);
}
__attribute__((section(".preinit_array"), used)) static void (*const before_all)(int, char**,
                                                                                 char**) = preinit;

#define THREADS 40
#define BLOCKS 50
static void* handed_over[THREADS][BLOCKS];

static void* fill(void* row) {
  void** const blocks = row;
  for (int at = 0; at < BLOCKS; ++at) blocks[at] = malloc(3001);
  return NULL;
}

static int fill_c11(void* row) {
  fill(row);
  return 0;
}

static int threads(void) {
  for (int at = 0; at < THREADS; ++at) {
    if (at % 2 == 0) {
      pthread_t thread;
      if (pthread_create(&thread, NULL, fill, handed_over[at]) != 0) return 1;
      pthread_join(thread, NULL);
    } else {
      thrd_t thread;
      if (thrd_create(&thread, fill_c11, handed_over[at]) != thrd_success) return 1;
      thrd_join(thread, NULL);
    }
    for (int block = 0; block < BLOCKS; ++block) free(handed_over[at][block]);
  }
  return 0;
}

/* A destructor of a thread-specific value, in the last of the rounds that there are. */
static pthread_key_t late_key;
static void late_destructor(void* value) {
  const long round = (long)value;
  if (round < _POSIX_THREAD_DESTRUCTOR_ITERATIONS) pthread_setspecific(late_key, (void*)(round + 1));
  pairs(1, 3020);
}
static void* with_late_destructor(void* unused) {
  pthread_setspecific(late_key, (void*)1);
  pairs(5, 3021);
  return unused;
}
static int late_threads(void) {
  pthread_key_create(&late_key, late_destructor);
  for (int at = 0; at < 10; ++at) {
    pthread_t thread;
    pthread_create(&thread, NULL, with_late_destructor, NULL);
    pthread_join(thread, NULL);
  }
  return 0;
}

static void* wait_for_ever(void* unused) {
  pairs(1, 3022);
  for (;;) usleep(1000);
  return unused;
}
static int cancelled(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, wait_for_ever, NULL);
  usleep(20000);
  pthread_cancel(thread);
  void* result = NULL;
  pthread_join(thread, &result);
  return result == PTHREAD_CANCELED ? 0 : 1;
}

static int fork_once(void) {
  for (int at = 0; at < 10; ++at) escaped = malloc(3002);
  const pid_t child = fork();
  if (child == 0) {
    pairs(20, 3003);
    return 0;
  }
  int status = 1;
  waitpid(child, &status, 0);
  pairs(10, 3002);
  return status;
}

/* The child of a fork that no library hears of. */
static int raw_fork(void) {
  pairs(10, 3002);
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    pairs(20, 3003);
    _exit(0);
  }
  int status = 1;
  waitpid((pid_t)child, &status, 0);
  pairs(10, 3002);
  return status;
}

static int forks(int count) {
  pairs(2, 3002);
  for (int at = 0; at < count; ++at) {
    const pid_t child = fork();
    if (child == 0) {
      pairs(1, 3004);
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    if (status != 0) return 1;
  }
  return 0;
}

static int close_all(void) {
  for (int at = 0; at < 4; ++at) {
    syscall(SYS_close_range, 3U, ~0U, 0U);
    /* Others take the numbers. */
    for (int fd = 3; fd < 1000; ++fd)
      if (open("/dev/null", O_RDWR) < 0) return 1;
    pairs(25000, 3007);
    for (int fd = 3; fd < 1000; ++fd)
      if (write(fd, "", 1) != 1) return 1;
  }
  return 0;
}

/* No descriptor, no path to the file, no right to open it. */
static int shut_in(const char* folder) {
  syscall(SYS_close_range, 3U, ~0U, 0U);
  if (chroot(folder) != 0 || chdir("/") != 0 || setgid(65534) != 0 || setuid(65534) != 0) return 1;
  pairs(100000, 3012);
  const pid_t child = fork();
  if (child == 0) {
    pairs(30000, 3013);
    _exit(0);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status;
}

static int file_limit(void) {
  const struct rlimit limit = {1 << 16, 1 << 16};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  pairs(100000, 3014);
  return 0;
}

/* Two threads that exchange blocks and change their sizes. */
#define SLOTS 64
#define ROUNDS 200000
static _Atomic(void*) slots[SLOTS];
static atomic_long requests, resizes, frees;

static void* hammer(void* seed) {
  unsigned state = (unsigned)(size_t)seed;
  long made = 0, resized = 0, freed = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    state = state * 1664525U + 1013904223U;
    void* block = atomic_exchange(&slots[(state >> 8) % SLOTS], NULL);
    if (block == NULL) {
      block = malloc(16 + (state >> 16) % 2000);
      ++made;
    } else if ((state >> 28) % 2 == 0) {
      block = realloc(block, 16 + (state >> 16) % 2000);
      ++resized;
    }
    state = state * 1664525U + 1013904223U;
    void* const other = atomic_exchange(&slots[(state >> 8) % SLOTS], block);
    if (other != NULL) {
      free(other);
      ++freed;
    }
  }
  atomic_fetch_add(&requests, made);
  atomic_fetch_add(&resizes, resized);
  atomic_fetch_add(&frees, freed);
  return NULL;
}

static atomic_bool at_work = true;

static void* pairs_until_told(void* unused) {
  (void)unused;
  while (atomic_load(&at_work)) pairs(1, 3021);
  return NULL;
}

/* For each byte that it reads: 'p' 10 pairs, 't' a thread that makes pairs from now on; then a line. */
static int steps(void) {
  pthread_t others[THREADS];
  int started = 0;
  char byte;
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) return 1;
  while (read(STDIN_FILENO, &byte, 1) == 1) {
    if (byte == 'p') pairs(10, 3020);
    if (byte == 't') pthread_create(&others[started++], NULL, pairs_until_told, NULL);
    if (write(STDOUT_FILENO, "done\n", 5) != 5) return 1;
  }
  atomic_store(&at_work, false);
  while (started > 0) pthread_join(others[--started], NULL);
  return 0;
}

static int races(void) {
  pthread_t other[2];
  for (size_t at = 0; at < 2; ++at) pthread_create(&other[at], NULL, hammer, (void*)(at + 1));
  for (int at = 0; at < 2; ++at) pthread_join(other[at], NULL);
  long freed = 0;
  for (int at = 0; at < SLOTS; ++at) {
    void* const block = atomic_load(&slots[at]);
    if (block != NULL) ++freed;
    free(block);
  }
  char line[100];
  const int length = snprintf(line, sizeof line, "%ld %ld %ld\n", requests, resizes, frees + freed);
  return write(STDOUT_FILENO, line, (size_t)length) == length ? 0 : 1;
}

static int all_forms(void) {
  free(malloc(3100));
  free(calloc(6, 520));
  free(realloc(NULL, 3101));
  free(realloc(malloc(3102), 3103));
  free(reallocarray(NULL, 2, 1552));
  void* block = NULL;
  if (posix_memalign(&block, 64, 3105) != 0) return 1;
  free(block);
  if (posix_memalign(&block, 3, 3106) == 0) return 1;
  free(aligned_alloc(4096, 8192));
  free(memalign(256, 3107));
  free(valloc(3108));
  free(pvalloc(3109));
  volatile size_t impossible = (size_t)1 << 62;
  if (malloc(impossible) != NULL) return 1;
  block = malloc(3110);
  if (realloc(block, impossible) != NULL) return 1;
  free(block);
  free(NULL);
  return 0;
}

/* Replaces random blocks of 16 to 515 bytes; each is touched. For measuring, not for counting. */
static int churn(long count) {
  static char* live[10000];
  unsigned state = 1;
  for (long at = 0; at < count; ++at) {
    state = state * 1664525U + 1013904223U;
    char** const place = &live[(state >> 8) % 10000];
    free(*place);
    *place = malloc(16 + (state >> 20) % 500);
    **place = 1;
  }
  return 0;
}

typedef void* (*Make)(size_t);
static int plugin(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return 1;
  Make make = (Make)dlsym(handle, "plugin_make");
  for (int at = 0; at < 10; ++at) free(make(3011));
  dlclose(handle);
  /* Its malloc is then the C library's own, past the recorder. */
  handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  make = (Make)dlsym(handle, "plugin_make");
  for (int at = 0; at < 10; ++at) free(make(3015));
  return 0;
}

static int by_signal(void) {
  pairs(10, 3016);
  raise(SIGUSR2);
  pairs(20, 3017);
  raise(SIGUSR2);
  pairs(30, 3018);
  return 0;
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "";
  const char* const more = argc > 2 ? argv[2] : "";
  if (strcmp(what, "threads") == 0) return threads();
  if (strcmp(what, "late-threads") == 0) return late_threads();
  if (strcmp(what, "cancelled") == 0) return cancelled();
  if (strcmp(what, "fork") == 0) return fork_once();
  if (strcmp(what, "raw-fork") == 0) return raw_fork();
  if (strcmp(what, "forks") == 0) return forks(atoi(more));
  if (strcmp(what, "exec") == 0) {
    pairs(5, 3005);
    execl("/proc/self/exe", argv[0], "pairs", "7", (char*)NULL);
    return 1;
  }
  if (strcmp(what, "pairs") == 0) {
    pairs(atol(more), 3006);
    return 0;
  }
  if (strcmp(what, "kill") == 0) {
    pairs(atol(more), 3008);
    raise(SIGKILL);
  }
  if (strcmp(what, "exit") == 0) {
    pairs(1, 3019);
    _exit(atoi(more));
  }
  if (strcmp(what, "wait") == 0) {
    pairs(1, 3019);
    if (write(STDOUT_FILENO, "ready\n", 6) != 6) return 1;
    char byte;
    return read(STDIN_FILENO, &byte, 1) == 1 ? 0 : 1;
  }
  if (strcmp(what, "steps") == 0) return steps();
  if (strcmp(what, "close-all") == 0) return close_all();
  if (strcmp(what, "shut-in") == 0) return shut_in(more);
  if (strcmp(what, "file-limit") == 0) return file_limit();
  if (strcmp(what, "churn") == 0) return churn(atol(more));
  if (strcmp(what, "races") == 0) return races();
  if (strcmp(what, "all-forms") == 0) return all_forms();
  if (strcmp(what, "plugin") == 0) return plugin(more);
  if (strcmp(what, "by-signal") == 0) return by_signal();
  return strcmp(what, "early") == 0 ? 0 : 2;
}
