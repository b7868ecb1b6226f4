// See own_cgroup.h.
#include "harness/machine/own_cgroup.h"

#include <fstream>
#include <string>

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

// Whether `list` ("cpu,cpuacct") holds `name`.
bool names(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == name) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

}  // namespace

fs::path OwnCgroup::visible() const {
  std::error_code error;
  return fs::exists(own, error) ? own : mount;
}

OwnCgroup own_cgroup(const fs::path& root, std::string_view controller) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers(line.data() + first + 1, second - first - 1);
    if (controller.empty() ? !controllers.empty() : !names(controllers, controller)) continue;
    const fs::path mount = controller.empty() ? root / "sys/fs/cgroup" : root / "sys/fs/cgroup" / controller;
    return {mount, mount / fs::path(line.substr(second + 1)).relative_path()};
  }
  return {};
}

}  // namespace heapmark::machine
