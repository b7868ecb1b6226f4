// What this program can do, as JSON for the harness: workloads, their parameters, variants and metrics.
#pragma once

namespace heapmark::host {

// Writes to descriptor `fd`. False where that fails.
bool describe(int fd);

}  // namespace heapmark::host
