// What select() asks about library files. The plan itself looks at nothing outside the process: the answers
// of this machine are in harness/cli/known.h, made-up ones in tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/plan/catalog.h"

namespace heapmark::plan {

class Libraries {
 public:
  virtual ~Libraries() = default;

  // The file of an allocator of the catalog; "" where it is not installed.
  [[nodiscard]] virtual std::string find(const Allocator& allocator) const = 0;

  // The absolute path of a library that the user named, links resolved. Throws UsageError where there is no
  // such file ("No such file ...") or it is not a shared library of this machine.
  [[nodiscard]] virtual std::string given(const std::string& path) const = 0;

  // A path to `file` that LD_PRELOAD can name: without a space or a colon.
  [[nodiscard]] virtual std::string preloadable(const std::string& file) const = 0;

  // Whether a library exports a symbol.
  [[nodiscard]] virtual bool exports(const std::string& file, const std::string& symbol) const {
    static_cast<void>(file), static_cast<void>(symbol);
    return false;
  }

  // ELF note NT_GNU_BUILD_ID in hexadecimal, or "".
  [[nodiscard]] virtual std::string build_id(const std::string& file) const = 0;

  // Versions of the Debian packages that `files` came with, or what the library itself says; a file of which
  // neither is known is absent.
  [[nodiscard]] virtual std::map<std::string, std::string> versions(
      const std::vector<std::string>& files) const = 0;
};

}  // namespace heapmark::plan
