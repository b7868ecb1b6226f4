// See preload_link.h.
#include "harness/machine/preload_link.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSplitAt = " :";

// FNV-1a, 64 bits (draft-eastlake-fnv): libraries of the same name in different folders get different links.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char letter : text) value = (value ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
  return value;
}

void make_private(const fs::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    throw std::runtime_error(fmt::format("making {}: {}", folder.string(), std::strerror(errno)));
  struct stat found {};
  if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() ||
      (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw std::runtime_error(
        fmt::format("{} must be a folder of this user with mode 0700: move it away", folder.string()));
}

}  // namespace

bool can_be_preloaded(const std::string& path) {
  return path.find_first_of(kSplitAt) == std::string::npos;
}

fs::path link_folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  std::error_code ignored;
  const bool usable = runtime != nullptr && *runtime == '/' && can_be_preloaded(runtime) &&
                      fs::is_directory(runtime, ignored);
  return fs::path(usable ? runtime : "/tmp") / fmt::format("heapmark-{}", ::geteuid());
}

std::string preloadable(const std::string& file, const fs::path& folder) {
  if (can_be_preloaded(file)) return file;
  make_private(folder);
  std::string name = fs::path(file).filename();
  std::replace_if(
      name.begin(), name.end(), [](char letter) { return std::strchr(kSplitAt, letter) != nullptr; }, '_');
  const fs::path link = folder / fmt::format("{:016x}-{}", hash(file), name);
  std::error_code error;
  if (fs::read_symlink(link, error) == file && !error) return link;
  // Made beside it and renamed: another heapmark may be using or making it.
  const fs::path beside = link.string() + fmt::format(".{}", ::getpid());
  fs::remove(beside, error);
  fs::create_symlink(file, beside, error);
  if (!error) fs::rename(beside, link, error);
  if (error)
    throw std::runtime_error(fmt::format("linking {} to {}: {}", link.string(), file, error.message()));
  return link;
}

}  // namespace heapmark::machine
