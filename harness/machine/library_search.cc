#include "harness/machine/library_search.h"

#include <dlfcn.h>
#include <glob.h>
#include <gnu/libc-version.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  // The highest version first: "llvm-19" before "llvm-9".
  std::sort(paths.begin(), paths.end(),
            [](const std::string& a, const std::string& b) { return strverscmp(a.c_str(), b.c_str()) > 0; });
  return paths;
}

std::string canonical(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return error ? "" : real.string();
}

}  // namespace

std::string find_library(const std::vector<std::string>& libraries,
                         const std::vector<std::string>& directories) {
  for (const std::string& library : libraries) {
    const bool absolute = library.starts_with('/');
    for (const std::string& directory : absolute ? std::vector<std::string>{""} : directories) {
      for (const std::string& path : matches(absolute ? library : directory + "/" + library))
        if (is_shared_library(path)) return canonical(path);
    }
  }
  return "";
}

std::vector<std::string> system_directories() {
  std::vector<std::string> directories;
  if (const char* const own = std::getenv("LD_LIBRARY_PATH")) {
    std::istringstream in(own);
    for (std::string one; std::getline(in, one, ':');)
      if (!one.empty()) directories.push_back(one);
  }
  const std::string triplet = HEAPMARK_LIBRARY_ARCHITECTURE;
  for (const std::string root : {"/usr/local/lib", "/usr/lib", "/lib"}) {
    if (!triplet.empty()) directories.push_back(root + "/" + triplet);
    directories.push_back(root);
  }
  directories.push_back("/usr/lib64");
  // Scudo comes with the compiler's own libraries.
  directories.push_back("/usr/lib/llvm-*/lib/clang/*/lib/linux");
  return directories;
}

std::string c_library_in_use() {
  Dl_info info{};
  void* const symbol = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
  return symbol && dladdr(symbol, &info) && info.dli_fname ? canonical(info.dli_fname) : "";
}

}  // namespace heapmark::machine
