// See tree_books.h.
#include "harness/ledger/tree_books.h"

#include <algorithm>
#include <iterator>

namespace heapmark::ledger {

void TreeBooks::starts(pid_t process, pid_t parent) {
  if (knows(process)) return;
  const auto from = books_.find(parent);
  if (from == books_.end())
    books_.try_emplace(process);
  else
    books_.emplace(process, from->second.forked());
  settle();
}

void TreeBooks::becomes_another_program(pid_t process) {
  if (knows(process)) of(process).became_another_program();
}

void TreeBooks::ends(pid_t process) {
  const auto found = books_.find(process);
  if (found == books_.end()) return;
  const KernelCalls& books = found->second;
  at_end_ = books.mapped_bytes();
  for (std::size_t kind = 0; kind < std::size(ended_.tallies); ++kind) {
    const Tally& more = books.tally(static_cast<EventKind>(kind));
    ended_.tallies[kind].count += more.count;
    ended_.tallies[kind].bytes += more.bytes;
  }
  for (std::size_t call = 0; call < kCallKinds; ++call) {
    ended_.made[call] += books.made(static_cast<Call>(call));
    ended_.refused[call] += books.refused(static_cast<Call>(call));
  }
  const std::size_t room = KernelCalls::kMaxEvents - std::min(KernelCalls::kMaxEvents, ended_.events.size());
  const std::size_t kept = std::min(room, books.events().size());
  ended_.events.insert(ended_.events.end(), books.events().begin(),
                       books.events().begin() + static_cast<std::ptrdiff_t>(kept));
  ended_.dropped_events += books.dropped_events() + books.events().size() - kept;
  books_.erase(found);
}

void TreeBooks::settle() {
  std::uint64_t now = 0;
  for (const auto& [process, books] : books_) now += books.mapped_bytes();
  peak_ = std::max(peak_, now);
}

Tally TreeBooks::tally(EventKind kind) const {
  Tally sum = ended_.tallies[static_cast<std::size_t>(kind)];
  for (const auto& [process, books] : books_) {
    sum.count += books.tally(kind).count;
    sum.bytes += books.tally(kind).bytes;
  }
  return sum;
}

std::uint64_t TreeBooks::made(Call call) const {
  std::uint64_t sum = ended_.made[static_cast<std::size_t>(call)];
  for (const auto& [process, books] : books_) sum += books.made(call);
  return sum;
}

std::uint64_t TreeBooks::refused(Call call) const {
  std::uint64_t sum = ended_.refused[static_cast<std::size_t>(call)];
  for (const auto& [process, books] : books_) sum += books.refused(call);
  return sum;
}

std::vector<Event> TreeBooks::events() const {
  std::vector<Event> all = ended_.events;
  for (const auto& [process, books] : books_)
    all.insert(all.end(), books.events().begin(), books.events().end());
  std::stable_sort(all.begin(), all.end(),
                   [](const Event& a, const Event& b) { return a.time_ns < b.time_ns; });
  if (all.size() > KernelCalls::kMaxEvents) all.resize(KernelCalls::kMaxEvents);
  return all;
}

std::uint64_t TreeBooks::dropped_events() const {
  std::uint64_t dropped = ended_.dropped_events, kept = ended_.events.size();
  for (const auto& [process, books] : books_) {
    dropped += books.dropped_events();
    kept += books.events().size();
  }
  return dropped + kept - std::min<std::uint64_t>(kept, KernelCalls::kMaxEvents);
}

}  // namespace heapmark::ledger
