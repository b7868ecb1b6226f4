// What the user asked for cannot be: a wrong name, value or file. The message says what to do; exit code 2.
#pragma once

#include <stdexcept>

namespace heapmark {

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace heapmark
