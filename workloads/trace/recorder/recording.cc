// See recording.h.
#include "workloads/trace/recorder/recording.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "workloads/trace/recorder/region.h"

extern "C" char** environ;
extern "C" void* __libc_stack_end;  // of the loader: where the kernel put argc, argv and the environment

namespace heapmark::recorder {
namespace {

constexpr std::size_t kFirstPopulated = kRawPage;
constexpr std::size_t kProcessBytes = (sizeof(Process) + kRawPage - 1) / kRawPage * kRawPage;

// Looks at the large blocks: no more often, at no more of them at a time, and at no larger ones. mincore(2)
// takes a microsecond and a half for a block of 1 MiB and 0.4 for each further MiB (docs/record.md): a call
// counts as 2 MiB, so that a look takes some 50 us, a hundredth of the time.
constexpr double kNsBetweenLooks = 5e6;
constexpr std::size_t kMostLooked = 64 << 20, kLargestLooked = 64 << 20, kLookCounts = 2 << 20;
constexpr std::size_t kEventsBetweenLooks = kRawPage;  // in bytes: some 800 events

std::uint64_t units_between_looks;
Process no_process;     // control null
RawControl* recording;  // mapped; in the children of forks too
pthread_key_t thread_end_key;
bool has_thread_end_key;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t time_units(std::uint64_t counted, const RawControl& control) {
  return counted >> control.time_shift;
}

// Reads /proc/self/cmdline into the image's text, as far as it fits.
void read_command(RawImage& image) {
  const int fd = open_quietly("/proc/self/cmdline", O_RDONLY);
  if (fd < 0) return;
  std::size_t have = 0;
  while (have < sizeof image.command - 2) {
    const long now = read_quietly(fd, image.command + have, sizeof image.command - 2 - have);
    if (now <= 0) break;
    have += static_cast<std::size_t>(now);
  }
  close_quietly(fd);
}

bool make_image(RawControl& control) {
  const std::uint64_t offset = charge(control, kRawPage) ? claim(control, kRawPage) : 0;
  unsigned char* const place = offset != 0 ? map_region(control, offset, kRawPage) : nullptr;
  if (place == nullptr || !populate(control, place, offset, kRawPage)) return false;
  auto* const image = reinterpret_cast<RawImage*>(place);
  image->length = kRawPage;
  image->image = control.next_image.fetch_add(1);
  image->pid = getpid();
  image->parent_pid = getppid();
  image->start_ticks = ticks(control);
  image->start_unix_ns = clock_ns(CLOCK_REALTIME);
  image->forked = process->forked ? 1 : 0;
  read_command(*image);
  std::atomic_signal_fence(std::memory_order_release);
  __atomic_store_n(&image->magic, kRawImageMagic, __ATOMIC_RELEASE);
  process->image = image;
  return true;
}

// Once in each process; threads that come at the same time wait.
bool have_image(RawControl& control) {
  std::uint32_t none = 0;
  if (process->image_state.load(std::memory_order_acquire) == 2) return true;
  if (process->image_state.compare_exchange_strong(none, 1)) {
    const bool made = make_image(control);
    process->image_state.store(made ? 2 : 3, std::memory_order_release);
    return made;
  }
  while (process->image_state.load(std::memory_order_acquire) == 1) sched_yield();
  return process->image_state.load(std::memory_order_acquire) == 2;
}

// What the first event of a forked child finds is its parent's thread.
void begin_child(Thread& thread) {
  process->control = recording;
  process->forked = true;
  process->next_thread.store(1);
  recording->images_attached.fetch_add(1);
  const bool busy = thread.busy, hidden = thread.hidden;
  thread = Thread{};
  thread.numbered = true;
  thread.busy = busy;
  thread.hidden = hidden;
}

RawChunk* take_free_buffer() {
  for (std::atomic<RawChunk*>& place : process->free_buffers) {
    if (place.load(std::memory_order_relaxed) == nullptr) continue;
    if (RawChunk* const buffer = place.exchange(nullptr, std::memory_order_acquire); buffer != nullptr)
      return buffer;
  }
  return nullptr;
}

void give_back_buffer(RawChunk* buffer) {
  for (std::atomic<RawChunk*>& place : process->free_buffers) {
    RawChunk* none = nullptr;
    if (place.load(std::memory_order_relaxed) == nullptr &&
        place.compare_exchange_strong(none, buffer, std::memory_order_release))
      return;
  }
  munmap(buffer, kRawChunkBytes);
}

RawChunk* new_buffer(RawControl& control) {
  const std::uint64_t offset = charge(control, kFirstPopulated) ? claim(control, kRawChunkBytes) : 0;
  if (offset == 0) return nullptr;
  unsigned char* const place = map_region(control, offset, kRawChunkBytes);
  if (place == nullptr) {
    end_recording(control, RawReason::kAddressSpace);
    return nullptr;
  }
  if (!populate(control, place, offset, kFirstPopulated)) {
    munmap(place, kRawChunkBytes);
    return nullptr;
  }
  auto* const buffer = reinterpret_cast<RawChunk*>(place);
  buffer->file_offset = offset;
  buffer->populated = kFirstPopulated;
  return buffer;
}

// After so many bytes of events it is asked whether a look at the large blocks is due.
void set_limits(Thread& thread) {
  thread.end =
      reinterpret_cast<unsigned char*>(thread.buffer) + thread.buffer->populated - kRawLongestEvent - 8;
  thread.limit = thread.at + kEventsBetweenLooks < thread.end ? thread.at + kEventsBetweenLooks : thread.end;
}

// The chunk begins: its header, and the thread's state. No event of the one before is left in the buffer.
void begin_chunk(RawControl& control, Thread& thread, RawChunk* buffer) {
  buffer->length = kRawChunkBytes;
  buffer->image = process->image->image;
  buffer->thread = thread.number;
  buffer->sequence = thread.sequence++;
  buffer->ticks = ticks(control);
  buffer->ns = clock_ns(CLOCK_MONOTONIC);
  const std::uint64_t now = time_units(buffer->ticks, control);
  if (now > thread.time) thread.time = now;
  buffer->start_time = thread.time;
  std::atomic_signal_fence(std::memory_order_release);
  __atomic_store_n(&buffer->magic, kRawChunkMagic, __ATOMIC_RELEASE);
  thread.address = 0;
  thread.buffer = buffer;
  thread.at = reinterpret_cast<unsigned char*>(buffer) + kRawEventsOffset;
  set_limits(thread);
}

// Where this cannot be done the events stay in the buffer, which is a chunk too.
bool write_chunk(RawControl& control, Thread& thread) {
  RawChunk* const buffer = thread.buffer;
  auto* const begin = reinterpret_cast<unsigned char*>(buffer);
  const auto used = static_cast<std::size_t>(thread.at - begin);
  const std::size_t length = (used + kRawPage - 1) / kRawPage * kRawPage;
  const std::uint64_t offset = charge(control, length) ? claim(control, length) : 0;
  if (offset == 0) return false;
  buffer->length = static_cast<std::uint32_t>(length);
  if (!write_out(control, buffer, length, offset)) return false;
  std::memset(begin + kRawEventsOffset, 0, used - kRawEventsOffset);
  std::atomic_signal_fence(std::memory_order_release);
  return true;
}

bool grow_or_write(RawControl& control, Thread& thread) {
  RawChunk* const buffer = thread.buffer;
  auto* const begin = reinterpret_cast<unsigned char*>(buffer);
  if (buffer->populated < kRawChunkBytes) {
    const std::size_t more = buffer->populated;
    if (!charge(control, more)) return false;
    if (!populate(control, begin + buffer->populated, buffer->file_offset + buffer->populated, more))
      return false;
    buffer->populated += static_cast<std::uint32_t>(more);
    set_limits(thread);
    return true;
  }
  if (!write_chunk(control, thread)) return false;
  begin_chunk(control, thread, buffer);
  return true;
}

// Thread-specific destructors run up to four times (PTHREAD_DESTRUCTOR_ITERATIONS): the last round is the
// latest moment of a thread's own, so that what other destructors free comes before it.
constexpr unsigned char kDestructorRounds = 4;

void thread_ends(void*) {
  Thread& thread = this_thread;
  if (++thread.destructor_rounds < kDestructorRounds) {
    thread.hidden = true;
    pthread_setspecific(thread_end_key, &this_thread);
    thread.hidden = false;
    return;
  }
  if (thread.busy || thread.ended) return;
  thread.busy = true;
  const int error = errno;
  if (record<kRawEnd>(thread, 0, 0)) {
    thread.ended = true;
    retire(thread);
  }
  errno = error;
  thread.busy = false;
}

// Its end is asked for at the first event. pthread_setspecific may allocate: that is no request of the
// program.
void watch_end(Thread& thread) {
  if (!has_thread_end_key || thread.number == 0) return;
  const bool busy = thread.busy, hidden = thread.hidden;
  thread.busy = false;
  thread.hidden = true;
  pthread_setspecific(thread_end_key, &this_thread);
  thread.busy = busy;
  thread.hidden = hidden;
}

bool have_buffer(RawControl& control, Thread& thread) {
  if (!have_image(control)) return false;
  if (!thread.numbered) {
    thread.number = new_thread_number();
    thread.numbered = true;
  }
  RawChunk* buffer = take_free_buffer();
  if (buffer == nullptr) buffer = new_buffer(control);
  if (buffer == nullptr) return false;
  const bool first = thread.sequence == 0;
  begin_chunk(control, thread, buffer);
  if (first) watch_end(thread);
  return true;
}

// The op is kRawWritten or kRawLooked. Keeps errno.
template <RawOp op>
void write_down(Thread& thread, std::uintptr_t address, std::uint64_t pages) {
  if (record<op>(thread, address, pages)) process->image->tells_written.store(1, std::memory_order_relaxed);
}

[[nodiscard]] bool is_on() {
  return process->control != nullptr &&
         process->control->state.load(std::memory_order_relaxed) == RawState::kOn;
}

// Writes down which of the living large blocks have more pages with memory than at the last look: of about
// `most` bytes of them. Keeps errno.
void look_at_living(Thread& thread, std::size_t most, std::size_t largest_bytes) {
  const int error = errno;
  process->large.each(most, [&](std::uintptr_t address, std::size_t bytes, std::uint32_t& known) {
    std::uint64_t pages = 0;
    if (bytes > largest_bytes) return std::size_t{0};
    if (pages_with_memory(address, bytes, pages) && pages > known) {
      known = pages < ~std::uint32_t{0} ? static_cast<std::uint32_t>(pages) : ~std::uint32_t{0};
      write_down<kRawLooked>(thread, address, pages);
    }
    return kLookCounts + bytes;
  });
  errno = error;
}

void look_if_due(Thread& thread) {
  if (!is_on()) return;
  std::uint64_t looked = process->looked_time.load(std::memory_order_relaxed);
  if (thread.time >= looked + units_between_looks &&
      process->looked_time.compare_exchange_strong(looked, thread.time, std::memory_order_relaxed))
    look_at_living(thread, kMostLooked, kLargestLooked);
}

void on_signal(int) {
  const int error = errno;
  if (recording != nullptr) {
    RawState state = RawState::kWaiting;
    if (!recording->state.compare_exchange_strong(state, RawState::kOn) && state == RawState::kOn)
      end_recording(*recording, RawReason::kSignal);
  }
  errno = error;
}

// environ is set by the C library's own constructor; the program's first calls may come before it.
char** environment() {
  if (environ != nullptr) return environ;
  const auto* const arguments = static_cast<const long*>(__libc_stack_end);
  return const_cast<char**>(reinterpret_cast<const char* const*>(arguments + 1 + *arguments + 1));
}

const char* variable(const char* name) {
  const std::size_t length = std::strlen(name);
  for (char** at = environment(); at != nullptr && *at != nullptr; ++at)
    if (std::strncmp(*at, name, length) == 0 && (*at)[length] == '=') return *at + length + 1;
  return nullptr;
}

__attribute__((destructor)) void program_exits() {
  note_exit();
}

}  // namespace

constinit Process* process = &no_process;
constinit thread_local Thread this_thread __attribute__((tls_model("initial-exec"))) = {};

std::uint32_t new_thread_number() {
  if (process->control == nullptr && recording != nullptr) begin_child(this_thread);
  return process->next_thread.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t clock_ticks() {
  return clock_ns(CLOCK_MONOTONIC);
}

std::size_t record_written(Thread& thread, std::uintptr_t address) {
  const std::size_t bytes = process->large.take(address);
  if (bytes == 0 || !is_on()) return bytes;
  const int error = errno;
  std::uint64_t pages = 0;
  if (pages_with_memory(address, bytes, pages)) write_down<kRawWritten>(thread, address, pages);
  errno = error;
  return bytes;
}

void note_exit() {
  RawImage* const image = process->image;
  // The child of a vfork has its parent's memory. What ends after the recording did is no part of it.
  if (image == nullptr || image->pid != getpid() ||
      recording->state.load(std::memory_order_relaxed) != RawState::kOn)
    return;
  image->exited.store(1);
  Thread& thread = this_thread;
  if (thread.busy) return;
  thread.busy = true;
  look_at_living(thread, ~std::size_t{0}, ~std::size_t{0});
  thread.busy = false;
}

bool make_room(Thread& thread) {
  if (recording == nullptr) return false;
  if (process->control == nullptr) begin_child(thread);
  RawControl& control = *recording;
  if (control.state.load(std::memory_order_relaxed) != RawState::kOn) return false;
  if (thread.at != nullptr && thread.at < thread.end) {
    set_limits(thread);
    return true;
  }
  const int error = errno;
  const bool room = thread.at == nullptr ? have_buffer(control, thread) : grow_or_write(control, thread);
  errno = error;
  return room;
}

void settle(Thread& thread) {
  look_if_due(thread);
  if (HEAPMARK_UNLIKELY(thread.ended) && thread.buffer != nullptr) retire(thread);
}

void retire(Thread& thread) {
  const int error = errno;
  RawChunk* const buffer = thread.buffer;
  const bool written = process->control != nullptr && write_chunk(*process->control, thread);
  thread.buffer = nullptr;
  thread.at = thread.limit = thread.end = nullptr;
  if (written)
    give_back_buffer(buffer);
  else
    munmap(buffer, kRawChunkBytes);
  errno = error;
}

void attach() {
  const char* const path = variable(kRawVariable);
  if (path == nullptr || *path != '/') return;
  RawControl* const control = open_recording(path);
  if (control == nullptr) return;
  void* const pages =
      mmap(nullptr, kProcessBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  // Without it a child would write into its parent's buffer (Linux before 4.14).
  if (pages == MAP_FAILED || madvise(pages, kProcessBytes, MADV_WIPEONFORK) != 0) return;
  auto* const made = static_cast<Process*>(pages);  // zeros are one, as after a fork
  made->control = control;
  made->next_thread.store(1);
  this_thread.numbered = true;  // as 0: who asks first is the thread that the program began with
  control->images_attached.fetch_add(1);
  has_thread_end_key = pthread_key_create(&thread_end_key, thread_ends) == 0;
  units_between_looks =
      static_cast<std::uint64_t>(kNsBetweenLooks / control->ns_per_tick) >> control->time_shift;
  recording = control;
  process = made;
  if (control->signal != 0) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigaction(control->signal, &action, nullptr);
  }
}

}  // namespace heapmark::recorder
