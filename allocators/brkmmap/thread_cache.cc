// See thread_cache.h and thread.h.
#include "allocators/brkmmap/thread_cache.h"

#include <pthread.h>
#include <sys/auxv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "allocators/brkmmap/thread.h"

namespace brkmmap {
namespace {

constinit Lock g_registry_lock;
constinit ThreadCache* g_first = nullptr;
constinit std::size_t g_next_shard = 0;
constinit std::atomic<std::size_t> g_caches{0};
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

std::size_t caches() noexcept {
  return g_caches.load(std::memory_order_relaxed);
}

std::size_t budget() noexcept {
  return cache_budget(heap.hysteresis.last_live_bytes(), caches());
}

std::atomic<std::size_t>& promised_to_all() noexcept {
  return heap.kernel.retained.promised_bytes;
}

}  // namespace

constinit std::uintptr_t secret = 0;
constinit ThreadCache no_cache;
thread_local constinit Thread thread __attribute__((tls_model("initial-exec")));

Lock& ThreadCache::registry_lock() noexcept {
  return g_registry_lock;
}

std::size_t ThreadCache::common_budget() noexcept {
  return budget();
}

void ThreadCache::arm_thread_exit() noexcept {
  if (pthread_key_create(&g_key, [](void* ending) { at_thread_exit(ending); }) == 0) {
    g_key_ready.store(true, std::memory_order_release);
  }
}

// pthread_setspecific may call calloc (keys from 32 on): by then the cache works.
ThreadCache& ThreadCache::mine() noexcept {
  Thread& self = thread;
  if (self.cache->is_real_ && self.is_armed) [[likely]]
    return *self.cache;
  if (self.has_ended) return no_cache;
  if (!self.cache->is_real_) {
    void* page = nullptr;
    {
      Guard guard(heap.lock);
      page = heap.cache_pages.take();
    }
    if (page == nullptr) return no_cache;
    Guard guard(g_registry_lock);
    if (secret == 0) secret = random_secret();
    auto* cache = new (page) ThreadCache(g_next_shard++ % kShards);
    cache->next_ = g_first;
    if (g_first != nullptr) g_first->previous_ = cache;
    g_first = cache;
    g_caches.fetch_add(1, std::memory_order_relaxed);
    self.cache = cache;
  }
  if (!self.is_armed && g_key_ready.load(std::memory_order_acquire)) {
    self.is_armed = true;
    const int kept = errno;
    pthread_setspecific(g_key, &self);
    errno = kept;
  }
  return *self.cache;
}

// Claims bytes of the budget that all threads share. False where it is used up; up to an equal part of it
// always succeeds, since the others may have claimed all and do nothing any more.
bool ThreadCache::claim(std::size_t bytes) noexcept {
  if (promised_ + bytes > heap.tunables.thread_cache) return false;
  const std::size_t before = promised_to_all().fetch_add(bytes, std::memory_order_relaxed);
  const std::size_t all = budget();
  if (before + bytes <= all || promised_ + bytes <= equal_part(all, caches())) return true;
  promised_to_all().fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

// Takes from what lists may hold, a half at a time and of each in turn but `spared`, until it is at most
// `budget`, or for now it is enough. True where it is.
bool ThreadCache::tighten(std::size_t budget, std::size_t spared) noexcept {
  constexpr int kVictims = 8;
  std::uint32_t gone = 0;
  for (int tried = 0; promised_ > budget; ++tried) {
    if (tried == kVictims || gone >= kAtOnce) return false;
    victim_ = (victim_ + 1) % kClasses;
    const std::uint32_t half = lists_[victim_].most / 2;
    if (victim_ != spared && lists_[victim_].most != 0) gone += shrink(victim_, half, half);
  }
  return true;
}

// Raises what a list may hold, where need be at the cost of others.
void ThreadCache::grow(std::size_t index, std::uint32_t most) noexcept {
  List& list = lists_[index];
  const std::size_t more = (most - list.most) * class_bytes(index);
  if (!claim(more) && (!tighten(promised_ - std::min(promised_, more), index) || !claim(more))) return;
  promised_ += more;
  list.most = most;
}

// Lowers what a list may hold to `most` and gives all objects but `keep` back: those that were freed last
// stay, their memory is warm. Of a long list only the first kAtOnce go, and the rest stays until the next
// time: the walk along it, a miss in the processor's cache for each object, would hold up this one call.
// Returns how many went.
std::uint32_t ThreadCache::shrink(std::size_t index, std::uint32_t most, std::uint32_t keep) noexcept {
  List& list = lists_[index];
  const std::uint32_t count = list.count.load(std::memory_order_relaxed);
  const bool is_long = count > keep + kAtOnce;
  if (is_long) {
    keep = count - kAtOnce;
    most = std::min(std::max(most, keep), list.most);
  }
  const std::size_t less = (list.most - most) * class_bytes(index);
  promised_ -= less;
  if (less != 0) promised_to_all().fetch_sub(less, std::memory_order_relaxed);
  list.most = most;
  if (count <= keep) return 0;
  Object* given = list.head;
  const std::uint32_t before = is_long ? kAtOnce : keep;  // objects on this side of the cut
  if (before == 0) {
    list.head = nullptr;
  } else {
    Object* last = list.head;
    for (std::uint32_t passed = 1; passed < before; ++passed) last = last->next;
    Object* rest = last->next;
    last->link(nullptr);
    (is_long ? list.head : given) = rest;
  }
  set_count(list, keep);
  heap.give_back(given);
  return count - keep;
}

// A request that the list could not serve: it may hold more from now on.
void ThreadCache::miss(std::size_t index) noexcept {
  List& list = lists_[index];
  Habits& habits = habits_[index];
  habits.asked = true;
  flights_ = 0;
  if (index < kFirstBlockClass) {
    grow(index, list.most + std::min(std::max(list.most, 1u), batch_of(index) * 4));
  } else if (habits.gave && heap.tunables.dynamic != 0) {
    habits.gave = false;
    if (habits.early_returns < kEarlyReturns)
      ++habits.early_returns;
    else
      grow(index, list.most * 2 + 1);
  }
}

// The first refills bring few objects: a thread that asks for one of each size must not hold a batch of each.
void* ThreadCache::refill(std::size_t index, std::size_t alignment) noexcept {
  if (!is_real_) {
    ThreadCache& own = mine();
    if (own.is_real_) return own.refill(index, alignment);
    void* object = nullptr;
    return heap.fetch(0, index, &object, 1, alignment) != 0 ? object : nullptr;
  }
  thread.maybe_rest();
  thread.maybe_start_anew();
  miss(index);
  List& list = lists_[index];
  if (alignment == kAlignment) {
    if (const Chain chain = heap.shelf.take(index); chain.head != nullptr) {
      heap.hysteresis.reused(chain.count * class_bytes(index));
      list.head = chain.head;
      set_count(list, chain.count);
      return pop(index);
    }
  }
  void* objects[64];
  const std::uint32_t room = list.most - std::min(list.most, list.count.load(std::memory_order_relaxed));
  // Aligned objects of other sizes each leave a gap: no more of them than are asked for.
  const bool is_dense = class_bytes(index) % alignment == 0;
  const std::size_t got =
      heap.fetch(shard_, index, objects, is_dense ? std::min(batch_of(index), room / 2 + 1) : 1, alignment);
  if (got == 0) return nullptr;
  for (std::size_t at = got - 1; at != 0; --at) {
    Object* object = static_cast<Object*>(objects[at]);
    object->link(list.head);
    list.head = object;
  }
  set_count(list, list.count.load(std::memory_order_relaxed) + static_cast<std::uint32_t>(got) - 1);
  return objects[0];
}

// Puts the list with one more object on the shelf. As it is: a cut takes a walk, and what was put last is
// taken first. False where nothing of it may lie there.
bool ThreadCache::put_on_shelf(std::size_t index, Freed freed) noexcept {
  List& list = lists_[index];
  const std::uint32_t count = list.count.load(std::memory_order_relaxed) + 1;
  const std::size_t limit = heap.most_on_shelf();
  if (limit == 0 || heap.shelf.bytes() + count * class_bytes(index) > limit) return false;
  Object* object = static_cast<Object*>(freed.block);
  object->link(list.head);
  if (!heap.shelf.put(index, {object, count})) return false;
  list.head = nullptr;
  set_count(list, 0);
  return true;
}

// The list is full: the object that was to be put into it returns to its slab, unless all may lie on the
// shelf.
void ThreadCache::overflow(std::size_t index, Freed freed) noexcept {
  if (!is_real_) {
    ThreadCache& own = mine();
    return own.is_real_ ? own.overflow(index, freed) : heap.give_back(&freed, 1);
  }
  List& list = lists_[index];
  if (list.head != nullptr && static_cast<const Object*>(freed.block)->is_free()) [[unlikely]]
    die(kFreeAlready, freed.block);
  Habits& habits = habits_[index];
  const bool asks = habits.asked;
  habits.asked = false;
  habits.gave = true;
  if (list.most != 0 && put_on_shelf(index, freed)) return;
  // Where nothing of the class is asked for between some frees, what may stay becomes half and half again,
  // down to nothing.
  const auto head = static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(list.head));
  habits.surplus = head == habits.head ? static_cast<std::uint8_t>(habits.surplus + 1) : 0;
  habits.head = head;
  const std::uint32_t half = list.most / 2;
  if (habits.surplus >= kPatience) {
    habits.surplus = 0;
    shrink(index, half, index < kFirstBlockClass ? half / 2 : half);
  }
  put_off(index, freed);
  if (pending_count_ != 0) return;
  // A thread that only frees keeps nothing: few objects, but each would pin a page.
  if (++flights_ >= kFlights) {
    if (empty_lists()) flights_ = 0;
    return;
  }
  tighten(cache_limit(promised_, promised_to_all().load(std::memory_order_relaxed), budget(),
                      g_caches.load(std::memory_order_relaxed), asks),
          kClasses);
  thread.maybe_rest();
}

// It returns together with others, but a block at once.
void ThreadCache::put_off(std::size_t index, Freed freed) noexcept {
  if (index >= kFirstBlockClass) return heap.give_back(&freed, 1);
  pending_[pending_count_++] = freed;
  const std::size_t bytes = pending_bytes_.load(std::memory_order_relaxed) + class_bytes(index);
  pending_bytes_.store(bytes, std::memory_order_relaxed);
  if (pending_count_ == kPending || bytes >= kPendingBytes) flush_pending();
}

void ThreadCache::flush_pending() noexcept {
  const std::uint32_t count = std::exchange(pending_count_, 0);
  pending_bytes_.store(0, std::memory_order_relaxed);
  heap.give_back(pending_, count);
}

// False where some objects are left for the next time.
bool ThreadCache::empty_lists() noexcept {
  std::uint32_t gone = 0;
  for (std::size_t index = 0; index < kClasses; ++index) {
    gone += shrink(index, 0, 0);
    if (gone >= kAtOnce) return false;
  }
  return true;
}

void ThreadCache::empty() noexcept {
  if (!is_real_) return;
  while (!empty_lists()) {
  }
  flush_pending();
  large_.empty([](Span* span) { heap.free_span(span); });
}

void ThreadCache::unregister(ThreadCache& cache) noexcept {
  {
    Guard guard(g_registry_lock);
    (cache.previous_ != nullptr ? cache.previous_->next_ : g_first) = cache.next_;
    if (cache.next_ != nullptr) cache.next_->previous_ = cache.previous_;
    g_caches.fetch_sub(1, std::memory_order_relaxed);
  }
  Guard guard(heap.lock);
  heap.cache_pages.give_back(&cache);
}

// Called once more after the destructors of others, which may free as well (pthread_key_create(3): as long as
// a key has a value, there is another round).
void ThreadCache::at_thread_exit(void* ending) noexcept {
  Thread& self = *static_cast<Thread*>(ending);
  const bool again = std::exchange(self.has_ended, true);
  self.flush_late();
  ThreadCache* cache = std::exchange(self.cache, &no_cache);
  if (cache->is_real_) {
    cache->empty();
    unregister(*cache);
  }
  if (!again) pthread_setspecific(g_key, ending);
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
  std::size_t promised = 0;
  g_first = nullptr;
  if (thread.cache->is_real_) {
    g_first = thread.cache;
    g_first->next_ = g_first->previous_ = nullptr;
    promised = g_first->promised_ + g_first->large_.bytes();
  }
  g_caches.store(g_first != nullptr ? 1 : 0, std::memory_order_relaxed);
  promised_to_all().store(promised, std::memory_order_relaxed);
}

void Thread::flush_late() noexcept {
  for (std::uint32_t left = kLate; left != 0; --left) {
    const Freed freed = take_late();
    if (freed.block != nullptr) heap.give_back(&freed, 1);
  }
}

std::size_t Thread::late_bytes() const noexcept {
  std::size_t sum = 0;
  for (std::uint32_t at = 0; at < kLate; ++at)
    if (late[at] != nullptr) sum += slab::bytes(*late_entries[at].span(), late[at]);
  return sum;
}

void Thread::flush() noexcept {
  flush_late();
  cache->empty();
  heap.clear_shelf();
  heap.mappings.clear();
}

void Thread::start_anew() noexcept {
  emptied_seen = heap.hysteresis.times_emptied();
  flush_late();
  cache->empty();
}

void Thread::rest() noexcept {
  heap.rest_if_due();
  const std::uint32_t state = heap.rest_state.load(std::memory_order_relaxed) & ~std::uint32_t{1};
  if (state == rest_seen) return;
  rest_seen = state;
  flush_late();
  cache->empty();
}

}  // namespace brkmmap
