// The raw recording's file as the recorder sees it: regions are claimed, mapped or written out, and charged
// to the budget. The program may close every descriptor, change its root or its user: mappings are then made
// from the control page's own (mremap(2), old_size 0), and chunks copied through them. Above: recording.cc.
// Below: the kernel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "workloads/contract/trace/raw_format.h"

namespace heapmark::recorder {

using namespace heapmark::trace;

// Maps the control page of the file at `path` and keeps a descriptor of it, of a high number. Null where that
// is not a recording of this version.
[[nodiscard]] RawControl* open_recording(const char* path);

// Claims `bytes` of the file. Returns the offset; 0 where the file is at its end, and ends the recording.
[[nodiscard]] std::uint64_t claim(RawControl& control, std::size_t bytes);

// Takes `bytes` from the budget; false where it is used up, and ends the recording.
[[nodiscard]] bool charge(RawControl& control, std::size_t bytes);

// Maps a claimed region; the child of a fork does not have it. Null where address space is short.
[[nodiscard]] unsigned char* map_region(RawControl& control, std::uint64_t offset, std::size_t bytes);

// Gives mapped pages of the file blocks on the disk, so that no store into them can fail (SIGBUS where the
// disk is full). `offset`: of the same bytes in the file. False where the disk is full, and ends the
// recording.
[[nodiscard]] bool populate(RawControl& control, unsigned char* mapped, std::uint64_t offset,
                            std::size_t bytes);

// Writes bytes to a claimed region. False where the disk is full, and ends the recording.
[[nodiscard]] bool write_out(RawControl& control, const void* bytes, std::size_t count, std::uint64_t offset);

void end_recording(RawControl& control, RawReason reason);

// open(2), read(2) and close(2) that are no cancellation points, as malloc is none, and that no library of
// the program wraps.
[[nodiscard]] int open_quietly(const char* path, int flags);
[[nodiscard]] long read_quietly(int fd, void* bytes, std::size_t count);
void close_quietly(int fd);

}  // namespace heapmark::recorder
