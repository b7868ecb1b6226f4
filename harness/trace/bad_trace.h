// What every reader of traces throws.
#pragma once

#include <stdexcept>

namespace heapmark::trace {

// The file is no trace, or is damaged: "FILE: segment 3, thread 1: what is wrong"; of a file that is imported
// "FILE:LINE: what is wrong".
struct BadTrace : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace heapmark::trace
