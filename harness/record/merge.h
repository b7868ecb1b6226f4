// Joins results files into one: the shards of a plan, measured on several machines, or runs whose rounds were
// numbered apart. Pure: files are read and written elsewhere.
#pragma once

#include <string>
#include <vector>

#include "harness/record/record.h"

namespace heapmark::record {

struct Part {
  std::string name;  // of its file, for messages
  Results results;
};

// Shards of one plan keep their ids and stand in the order of the plan; of different plans the records stand
// in the order of the files and are numbered anew. Where parts were measured by different versions of
// heapmark or of an allocator's library, or the same trial is there twice, throws UsageError that names both
// files. `missing` is told the shards that are not there. Tables (samples along a trial) are left out if
// asked.
[[nodiscard]] Results merge(std::vector<Part> parts, bool without_tables, std::vector<std::string>& missing);

}  // namespace heapmark::record
