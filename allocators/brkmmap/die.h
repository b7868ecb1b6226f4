// The end of a process whose heap cannot be trusted any more: one clear line on stderr through write(2), then
// abort(). Nothing here allocates.
#pragma once

namespace brkmmap {

inline constexpr const char* kFreeAlready = "double free (the block is free already)";
inline constexpr const char* kWrittenTo = "a free block was written to, or is there twice by a double free";
inline constexpr const char* kNoBlock =
    "free of a pointer that is no block now (double free, inside of a block, or never one)";

// Writes "brkmmap: WHAT: 0xADDRESS", without the address where there is none, and aborts. Any thread, any
// locks.
[[noreturn]] void die(const char* what, const void* address) noexcept;

}  // namespace brkmmap
