// See exporter.h.
#include "harness/view/exporter.h"

#include <algorithm>

namespace heapmark::view {
namespace {

// A function's static: registration happens before main, in no known order.
std::vector<Exporter>& registered() {
  static std::vector<Exporter> all;
  return all;
}

}  // namespace

void register_exporter(const Exporter& exporter) {
  std::vector<Exporter>& all = registered();
  const auto after = std::find_if(all.begin(), all.end(), [&](const Exporter& one) {
    return std::string_view(one.name) > std::string_view(exporter.name);
  });
  all.insert(after, exporter);
}

const std::vector<Exporter>& exporters() {
  return registered();
}

const Exporter* find_exporter(std::string_view name) {
  for (const Exporter& one : registered())
    if (one.name == name) return &one;
  return nullptr;
}

}  // namespace heapmark::view
