// See die.h.
#include "allocators/brkmmap/die.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace brkmmap {

void die(const char* what, const void* address) noexcept {
  char line[160];
  const int length = address != nullptr ? std::snprintf(line, sizeof line, "brkmmap: %s: %p\n", what, address)
                                        : std::snprintf(line, sizeof line, "brkmmap: %s\n", what);
  if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0) {
    // Nobody to tell: the abort says it.
  }
  std::abort();
}

}  // namespace brkmmap
