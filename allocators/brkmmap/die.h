// The end of a process whose heap cannot be trusted any more: one clear line on stderr through write(2), then
// abort(). Nothing here allocates.
#pragma once

namespace brkmmap {

// Writes "brkmmap: WHAT: 0xADDRESS" and aborts. Any thread, any locks.
[[noreturn]] void die(const char* what, const void* address) noexcept;

}  // namespace brkmmap
