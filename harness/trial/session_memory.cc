// See session_memory.h.
#include "harness/trial/session_memory.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

namespace heapmark::trial {
namespace {

// For scripts/method, which measures what the length of a slice changes.
std::optional<std::uint64_t> slice_asked_ns() {
  const char* const text = std::getenv("HEAPMARK_SLICE_MS");
  if (text == nullptr) return std::nullopt;
  char* end = nullptr;
  const double ms = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(ms > 0) || ms > 10'000)
    throw std::runtime_error(std::string("HEAPMARK_SLICE_MS takes milliseconds up to 10000, not '") + text +
                             "'");
  return static_cast<std::uint64_t>(ms * 1e6);
}

}  // namespace

SessionMemory::SessionMemory(std::uint32_t seats, const std::vector<std::uint32_t>& cpus)
    : fd_(::memfd_create("heapmark-session", MFD_CLOEXEC)), bytes_(session_bytes(seats)) {
  void* memory = MAP_FAILED;
  if (fd_.get() >= 0 && ::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) == 0)
    memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
  if (memory == MAP_FAILED)
    throw std::system_error(errno, std::generic_category(), "making the shared memory of a lockstep session");
  memory_ = static_cast<char*>(memory);
  auto* const session = new (memory_) Session{};
  session->magic = kSessionMagic;
  session->version = kSessionVersion;
  session->seat_count = seats;
  const std::optional<std::uint64_t> asked_ns = slice_asked_ns();
  session->least_slice_ns = asked_ns.value_or(kLeastSliceNs);
  session->most_slice_ns = asked_ns.value_or(kMostSliceNs);
  session->cpu_count = static_cast<std::uint32_t>(std::min(cpus.size(), kMaxSessionCpus));
  std::copy_n(cpus.begin(), session->cpu_count, session->cpus);
}

SessionMemory::~SessionMemory() {
  ::munmap(memory_, bytes_);
}

const Seat& SessionMemory::seat(std::uint32_t index) const {
  return *reinterpret_cast<const Seat*>(memory_ + seat_offset(index));
}

Seat& SessionMemory::own_seat(std::uint32_t index) {
  return *reinterpret_cast<Seat*>(memory_ + seat_offset(index));
}

void SessionMemory::grant(std::uint32_t index) {
  Seat& seat = own_seat(index);
  seat.granted.fetch_add(1, std::memory_order_release);
  ::syscall(SYS_futex, &seat.granted, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace heapmark::trial
