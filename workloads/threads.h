// Threads of a workload on stacks of the observer's own, so that the C library maps none while the workload
// runs. What pthread_create itself asks of malloc (the thread's TLS block) is part of any threaded program
// and stays in the figures.
#pragma once

#include <pthread.h>

#include <cstddef>

namespace heapmark {

inline constexpr std::size_t kThreadStackBytes = 256 * 1024;

// `stack`: stack_bytes of Context::own_memory, page-aligned. Returns false where the thread was refused.
[[nodiscard]] inline bool start_thread(pthread_t* thread, void* stack, void* (*function)(void*),
                                       void* argument, std::size_t stack_bytes = kThreadStackBytes) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  const bool started = pthread_attr_setstack(&attributes, stack, stack_bytes) == 0 &&
                       pthread_create(thread, &attributes, function, argument) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace heapmark
