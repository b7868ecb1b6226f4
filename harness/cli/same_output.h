// Whether a command printed with this allocator what it printed with the baseline: a difference is a defect
// of the allocator, of the program, or a program that prints something else each time. Pure.
#pragma once

#include "harness/record/record.h"

namespace heapmark::cli {

// Compares `result`, which is about to be recorded, with what is recorded already, and fails it as "output
// differs" where it is not the same. Compared is with the baseline's first trial, where there is none yet
// nothing is.
void require_same_output(const record::Results& results, const trial::TrialSpec& spec,
                         trial::TrialResult& result);

}  // namespace heapmark::cli
