// What the terminal at the other end of a stream can show, and messages on standard error.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace heapmark::cli {

inline bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

// Pure. NO_COLOR set to anything but "" forbids colour (no-color.org), and a terminal of the kind "dumb" has
// none; either may be null.
inline bool allows_colour(const char* no_color, const char* term) {
  return (no_color == nullptr || *no_color == '\0') && (term == nullptr || std::string_view(term) != "dumb");
}

inline bool wants_colour(std::FILE* stream) {
  return is_terminal(stream) && allows_colour(std::getenv("NO_COLOR"), std::getenv("TERM"));
}

// Columns; 120 where the stream is a file or a pipe.
inline std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 120;
  return size.ws_col;
}

// A line on standard error. That it cannot be written is no reason to stop.
inline void warn(const std::string& line) {
  (void)std::fputs(("heapmark: " + line + "\n").c_str(), stderr);
}

}  // namespace heapmark::cli
