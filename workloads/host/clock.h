// The clock of the measured process. The host exports its own clock_gettime, which every library of the
// process calls instead of the C library's (an executable's symbols are found first), and from which the time
// spent waiting for a turn is subtracted: an allocator that purges by the clock must not notice that others
// ran. Only clocks that count from an arbitrary start are changed; CLOCK_REALTIME stays the date, on which
// absolute time limits (pthread_cond_timedwait) rely, and CPU-time clocks stand still while a process sleeps
// anyway.
#pragma once

#include <time.h>

#include <cstdint>

namespace heapmark::host {

// To be called at the start of main(): before it every call is a system call. Does not call malloc.
void find_real_clock();

// The true time, waiting included.
std::uint64_t real_clock_ns(clockid_t clock);

// Between these two the clocks of the process stand still. Called by one thread.
void stop_clocks();
std::uint64_t go_on_with_clocks();  // returns the nanoseconds subtracted from now on, of CLOCK_MONOTONIC

}  // namespace heapmark::host
