// What the terminal at the other end of a stream can show.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace heapmark::cli {

inline bool is_terminal(std::FILE* stream) {
  return ::isatty(::fileno(stream)) == 1;
}

// Columns; 120 where the stream is a file or a pipe.
inline std::size_t terminal_width(std::FILE* stream) {
  winsize size{};
  if (::ioctl(::fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 120;
  return size.ws_col;
}

}  // namespace heapmark::cli
