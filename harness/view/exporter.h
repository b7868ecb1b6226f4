// The forms in which a comparison leaves heapmark (`show --format NAME`). A form is one file in exporters/
// that registers itself; flags and help are made from what is registered.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/record/record.h"
#include "harness/stats/analysis.h"

namespace heapmark::view {

// What is shown, and where. Both references outlive the call.
struct Subject {
  const record::Results& results;
  const stats::Analysis& analysis;  // of `results`
  std::string file;                 // that holds them, as the user would name it
  std::size_t width = 120;          // of the terminal
  bool colour = false;
};

struct Exporter {
  const char* name;
  const char* help;  // continues "NAME: "
  std::string (*render)(const Subject&);
};

// In order of name.
[[nodiscard]] const std::vector<Exporter>& exporters();

// Null where none has that name.
[[nodiscard]] const Exporter* find_exporter(std::string_view name);

void register_exporter(const Exporter& exporter);
#define HEAPMARK_EXPORTER(...)                                \
  [[gnu::constructor]] static void register_this_exporter() { \
    ::heapmark::view::register_exporter({__VA_ARGS__});       \
  }

}  // namespace heapmark::view
