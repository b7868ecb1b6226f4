// The passes: a trial belongs to exactly one, and each asks one question.
#pragma once

namespace heapmark {

enum Pass : unsigned { kSpeed = 1, kMemory = 2, kLedger = 4, kLimit = 8 };
inline constexpr unsigned kEveryPass = kSpeed | kMemory | kLedger | kLimit;

}  // namespace heapmark
