// See thread_cache.h.
#include "allocators/brkmmap/thread_cache.h"

#include <pthread.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace brkmmap {
namespace {

constinit Lock g_registry_lock;
constinit ThreadCache* g_first = nullptr;
constinit std::size_t g_threads = 0;
constinit std::atomic<bool> g_key_ready{false};
pthread_key_t g_key;

// Objects that move between a thread and the slabs at once.
std::uint32_t batch_of(std::size_t index) noexcept {
  if (index >= kFirstBlockClass) return 1;
  return static_cast<std::uint32_t>(std::clamp<std::size_t>(8192 / class_bytes(index), 2, 64));
}

// The kernel gives every process sixteen random bytes (getauxval(3)).
std::uintptr_t random_secret() noexcept {
  std::uintptr_t value = 0x9d3f1c6ab5e08f27;
  if (const auto* bytes = reinterpret_cast<const void*>(getauxval(AT_RANDOM))) {
    std::uintptr_t random = 0;
    std::memcpy(&random, bytes, sizeof random);
    value ^= random;
  }
  return value | 1;  // never nothing, and no address: blocks are even
}

}  // namespace

constinit std::uintptr_t secret = 0;
thread_local constinit ThreadCache thread_cache __attribute__((tls_model("initial-exec")));

Lock& ThreadCache::registry_lock() noexcept {
  return g_registry_lock;
}

void ThreadCache::arm_thread_exit() noexcept {
  if (pthread_key_create(&g_key, [](void* cache) { at_thread_exit(cache); }) == 0) {
    g_key_ready.store(true, std::memory_order_release);
  }
}

// First slow step of a thread. pthread_setspecific may call calloc (keys from 32 on): by then this cache
// works.
void ThreadCache::prepare() noexcept {
  if (state_ == State::kReady && armed_) [[likely]]
    return;
  if (state_ == State::kNew) {
    state_ = State::kReady;
    Guard guard(g_registry_lock);
    if (secret == 0) secret = random_secret();
    shard_ = g_threads++ % kShards;
    next_ = g_first;
    if (g_first != nullptr) g_first->previous_ = this;
    g_first = this;
  }
  if (!armed_ && state_ == State::kReady && g_key_ready.load(std::memory_order_acquire)) {
    armed_ = true;
    const int kept = errno;
    pthread_setspecific(g_key, this);
    errno = kept;
  }
}

// Takes from what lists may hold, a half at a time and of each in turn but `spared`, until it is at most
// `budget`, or for now it is enough. True where it is.
bool ThreadCache::tighten(std::size_t budget, std::size_t spared) noexcept {
  constexpr int kVictims = 8;
  for (int tried = 0; promised_ > budget; ++tried) {
    if (tried == kVictims) return false;
    victim_ = (victim_ + 1) % kClasses;
    const std::uint32_t half = lists_[victim_].most / 2;
    if (victim_ != spared && lists_[victim_].most != 0) shrink(victim_, half, half);
  }
  return true;
}

// Raises what a list may hold, where need be at the cost of others.
void ThreadCache::grow(std::size_t index, std::uint32_t most) noexcept {
  List& list = lists_[index];
  const std::size_t more = (most - list.most) * class_bytes(index);
  const std::size_t budget = heap.tunables.thread_cache;
  if (more > budget || !tighten(budget - more, index)) return;
  promised_ += more;
  list.most = most;
}

// Lowers what a list may hold to `most` and takes all objects but `keep` out of it. Those that were freed
// last stay: their memory is warm.
Chain ThreadCache::cut(std::size_t index, std::uint32_t most, std::uint32_t keep) noexcept {
  List& list = lists_[index];
  promised_ -= (list.most - most) * class_bytes(index);
  list.most = most;
  const std::uint32_t count = list.count.load(std::memory_order_relaxed);
  if (count <= keep) return {};
  Object* rest = list.head;
  if (keep == 0) {
    list.head = nullptr;
  } else {
    Object* last = list.head;
    for (std::uint32_t kept = 1; kept < keep; ++kept) last = last->next;
    rest = last->next;
    last->link(nullptr);
  }
  set_count(list, keep);
  return {rest, count - keep};
}

// A request that the list could not serve: it may hold more from now on.
void ThreadCache::miss(std::size_t index) noexcept {
  prepare();
  List& list = lists_[index];
  Habits& habits = habits_[index];
  habits.asked = true;
  flights_ = 0;
  if (state_ != State::kReady) return;
  if (index < kFirstBlockClass) {
    grow(index, list.most + std::min(std::max(list.most, 2u), batch_of(index) * 4));
  } else if (habits.gave && heap.tunables.dynamic != 0) {
    habits.gave = false;
    if (habits.regrets < kRegrets)
      ++habits.regrets;
    else
      grow(index, list.most * 2 + 1);
  }
}

void* ThreadCache::refill(std::size_t index, std::size_t alignment) noexcept {
  miss(index);
  List& list = lists_[index];
  if (state_ == State::kReady && alignment == kAlignment) {
    if (const Chain chain = heap.shelf.take(index); chain.head != nullptr) {
      heap.hysteresis.reused(chain.count * class_bytes(index));
      list.head = chain.head;
      set_count(list, chain.count);
      return pop(index);
    }
  }
  void* objects[64];
  const std::size_t got = heap.fetch(shard_, index, objects, std::min(batch_of(index), list.most / 2 + 1), alignment);
  if (got == 0) return nullptr;
  for (std::size_t at = got - 1; at != 0; --at) {
    Object* object = static_cast<Object*>(objects[at]);
    object->link(list.head);
    list.head = object;
  }
  set_count(list, list.count.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(got) - 1);
  return objects[0];
}

// Puts the list with one more on the shelf. As it is: a cut takes a walk, and what was put last is had again
// first. False where nothing of it may lie there.
bool ThreadCache::lay_aside(std::size_t index, Freed freed) noexcept {
  List& list = lists_[index];
  const std::uint32_t count = list.count.load(std::memory_order_relaxed) + 1;
  const std::size_t live = heap.hysteresis.last_live_bytes(), slack = heap.hysteresis.last();
  const std::size_t limit = shelf_limit(live, slack, heap.tunables);
  if (limit == 0 || heap.shelf.bytes() + count * class_bytes(index) > limit) return false;
  Object* object = static_cast<Object*>(freed.block);
  object->link(list.head);
  if (!heap.shelf.put(index, {object, count})) return false;
  list.head = nullptr;
  set_count(list, 0);
  return true;
}

// The list is full, the one that was to be put into it goes home, where it may not lie aside.
void ThreadCache::overflow(std::size_t index, Freed freed) noexcept {
  prepare();
  List& list = lists_[index];
  if (list.head != nullptr && static_cast<const Object*>(freed.block)->is_free()) [[unlikely]]
    die(kFreeAlready, freed.block);
  Habits& habits = habits_[index];
  const bool asks = habits.asked;
  habits.asked = false;
  habits.gave = true;
  if (list.most != 0 && lay_aside(index, freed)) return;
  // Where nothing of the class is asked for between some frees, what may stay becomes half and half again,
  // down to nothing.
  const auto head = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(list.head));
  habits.surplus = head == habits.head ? static_cast<std::uint8_t>(habits.surplus + 1) : 0;
  habits.head = head;
  const std::uint32_t half = list.most / 2;
  if (habits.surplus >= std::min(half, kPatience)) {
    habits.surplus = 0;
    shrink(index, half, index < kFirstBlockClass ? half / 2 : half);
  }
  put_off(index, freed);
  if (pending_count_ != 0) return;
  // A thread that only frees keeps nothing: few objects, but each would pin a page.
  if (++flights_ >= kFlights) return empty_lists();
  tighten(cache_limit(heap.hysteresis.last_live_bytes(), heap.hysteresis.last(), asks, heap.tunables),
          kClasses);
}

// It goes home together with others, but a block at once.
void ThreadCache::put_off(std::size_t index, Freed freed) noexcept {
  if (index >= kFirstBlockClass) return heap.give_back(&freed, 1);
  pending_[pending_count_++] = freed;
  const std::size_t bytes = pending_bytes_.load(std::memory_order_relaxed) + class_bytes(index);
  pending_bytes_.store(bytes, std::memory_order_relaxed);
  if (pending_count_ == kPending || bytes >= kPendingBytes || state_ != State::kReady) flush_pending();
}

void ThreadCache::flush_pending() noexcept {
  const std::uint32_t count = std::exchange(pending_count_, 0);
  pending_bytes_.store(0, std::memory_order_relaxed);
  heap.give_back(pending_, count);
}

void ThreadCache::flush_late() noexcept {
  latest_ = nullptr;
  for (Freed& late : late_) {
    if (late.block == nullptr) continue;
    const Freed freed = std::exchange(late, {});
    heap.give_back(&freed, 1);
  }
}

std::size_t ThreadCache::late_bytes() const noexcept {
  std::size_t sum = 0;
  for (const Freed& late : late_) {
    if (late.block == nullptr) continue;
    sum += slab::bytes(*late.entry.span(), late.block);
  }
  return sum;
}

void ThreadCache::empty_lists() noexcept {
  flights_ = 0;
  for (std::size_t index = 0; index < kClasses; ++index) shrink(index, 0, 0);
}

void ThreadCache::flush() noexcept {
  flush_late();
  for (std::size_t index = 0; index < kClasses; ++index) shrink(index, lists_[index].most, 0);
  flush_pending();
  heap.clear_shelf();
  heap.mappings.clear();
}

// Called once more after the destructors of others, which may free as well (pthread_key_create(3): as long as
// a key has a value, there is another round).
void ThreadCache::at_thread_exit(void* cache) noexcept {
  ThreadCache& self = *static_cast<ThreadCache*>(cache);
  const bool again = self.state_ == State::kEnded;
  self.state_ = State::kEnded;
  self.flush_late();
  self.empty_lists();
  self.flush_pending();
  if (again) return;
  {
    Guard guard(g_registry_lock);
    (self.previous_ != nullptr ? self.previous_->next_ : g_first) = self.next_;
    if (self.next_ != nullptr) self.next_->previous_ = self.previous_;
  }
  pthread_setspecific(g_key, cache);
}

std::size_t ThreadCache::bytes() const noexcept {
  std::size_t sum = pending_bytes_.load(std::memory_order_relaxed);
  for (std::size_t index = 0; index < kClasses; ++index) {
    sum += lists_[index].count.load(std::memory_order_relaxed) * class_bytes(index);
  }
  return sum;
}

std::size_t ThreadCache::total_bytes() noexcept {
  Guard guard(g_registry_lock);
  std::size_t sum = 0;
  for (const ThreadCache* cache = g_first; cache != nullptr; cache = cache->next_) sum += cache->bytes();
  return sum;
}

void ThreadCache::forget_other_threads() noexcept {
  const bool listed = thread_cache.state_ == State::kReady;
  g_first = listed ? &thread_cache : nullptr;
  thread_cache.next_ = thread_cache.previous_ = nullptr;
}

}  // namespace brkmmap
