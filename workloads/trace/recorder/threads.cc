// Thread starts and the process's end: pthread_create and thrd_create as the program calls them. The new
// thread's number is handed over in a page of its own; what the C library allocates for it meanwhile is
// marked as its own (kRawHidden). A thread that starts without them gets a number at its first event, and no
// parent. Above: the program. Below: real.h, recording.h.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "workloads/trace/recorder/real.h"
#include "workloads/trace/recorder/recording.h"

#define HEAPMARK_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using namespace heapmark::recorder;

template <typename Result>
struct Start {
  Result (*routine)(void*);
  void* argument;
  std::uint32_t number;
};

template <typename Result>
Result begin_thread(void* handed_over) {
  const Start<Result> start = *static_cast<Start<Result>*>(handed_over);
  munmap(handed_over, kRawPage);
  this_thread.number = start.number;
  this_thread.numbered = true;
  return start.routine(start.argument);
}

// `create(routine, argument)` calls the real function; `succeeded(result)` says whether there is a new
// thread.
template <typename Result, typename Create>
int create_recorded(Result (*routine)(void*), void* argument, int success, const Create& create) {
  Thread& thread = this_thread;
  void* const page =
      thread.busy || process->control == nullptr
          ? MAP_FAILED
          : mmap(nullptr, kRawPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return create(routine, argument);
  const std::uint32_t number = new_thread_number();
  *static_cast<Start<Result>*>(page) = {routine, argument, number};
  // Before the thread's first event. A thread that never has one is not in the trace, whether it started or
  // not.
  thread.busy = true;
  record<kRawSpawn>(thread, 0, number);
  thread.busy = false;
  const bool hidden = thread.hidden;
  thread.hidden = true;
  const int result = create(&begin_thread<Result>, page);
  thread.hidden = hidden;
  if (result != success) munmap(page, kRawPage);
  return result;
}

template <typename Function>
Function next_function(Function& kept, const char* name) {
  Function found = __atomic_load_n(&kept, __ATOMIC_RELAXED);
  if (found != nullptr) return found;
  Thread& thread = this_thread;
  const bool busy = thread.busy;
  (void)find_real();
  thread.busy = true;
  found = reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
  thread.busy = busy;
  if (found == nullptr) die("no library behind it starts threads");
  __atomic_store_n(&kept, found, __ATOMIC_RELAXED);
  return found;
}

int (*next_pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
int (*next_thrd_create)(thrd_t*, thrd_start_t, void*);

}  // namespace

HEAPMARK_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                   void* (*routine)(void*), void* argument) {
  const auto next = next_function(next_pthread_create, "pthread_create");
  return create_recorded<void*>(routine, argument, 0, [&](void* (*begin)(void*), void* handed_over) {
    return next(thread, attributes, begin, handed_over);
  });
}

HEAPMARK_EXPORT int thrd_create(thrd_t* thread, thrd_start_t routine, void* argument) {
  const auto next = next_function(next_thrd_create, "thrd_create");
  return create_recorded<int>(routine, argument, thrd_success, [&](int (*begin)(void*), void* handed_over) {
    return next(thread, begin, handed_over);
  });
}

HEAPMARK_EXPORT void _exit(int status) {
  note_exit();
  for (;;) syscall(SYS_exit_group, status);
}

HEAPMARK_EXPORT void _Exit(int status) {
  _exit(status);
}
