// See thread_cache.h.
#include "allocators/brkmmap/thread_cache.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>

namespace brkmmap {
namespace {

constinit Lock g_registry_lock;
constinit ThreadCache* g_first = nullptr;
constinit std::atomic<bool> g_key_ready{false};
pthread_key_t g_key;

}  // namespace

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
  if (state_ == State::kNew) {
    state_ = State::kReady;
    const std::size_t share = heap.tunables.thread_cache / kClasses;
    for (std::size_t index = 0; index < kClasses; ++index) {
      const std::size_t most = share / kSizeClasses[index].size;
      lists_[index].bound = static_cast<std::uint32_t>(std::min<std::size_t>(most, 256));
      lists_[index].most = lists_[index].bound;
    }
    Guard guard(g_registry_lock);
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

void* ThreadCache::refill(std::size_t index) noexcept {
  prepare();
  List& list = lists_[index];
  list.most = std::min(list.bound, list.most * 2 + 1);
  const std::size_t batch = std::min<std::size_t>(kSizeClasses[index].batch, list.most / 2 + 1);
  std::size_t taken = 0;
  Object* object = heap.fetch(index, batch, &taken);
  if (object == nullptr) return nullptr;
  if (list.head == nullptr) {
    list.head = object->next;
    set_count(list, static_cast<std::uint32_t>(taken - 1));
  }
  object->mark = 0;
  return object;
}

void ThreadCache::overflow(std::size_t index) noexcept {
  prepare();
  List& list = lists_[index];
  const std::uint32_t count = list.count.load(std::memory_order_relaxed);
  if (count <= list.most) return;  // it was the first push
  // The half that was freed last stays: its memory is warm. Overflow upon overflow without a request in
  // between halves what may stay, down to nothing.
  list.most /= 2;
  const std::uint32_t keep = list.most;
  Object* rest = list.head;
  if (keep == 0) {
    list.head = nullptr;
  } else {
    Object* last = list.head;
    for (std::uint32_t kept = 1; kept < keep; ++kept) last = last->next;
    rest = last->next;
    last->next = nullptr;
  }
  set_count(list, keep);
  heap.give_back(index, rest);
}

void ThreadCache::flush() noexcept {
  for (std::size_t index = 0; index < kClasses; ++index) {
    List& list = lists_[index];
    Object* objects = list.head;
    if (objects == nullptr) continue;
    list.head = nullptr;
    set_count(list, 0);
    heap.give_back(index, objects);
  }
}

void ThreadCache::at_thread_exit(void* cache) noexcept {
  ThreadCache& self = *static_cast<ThreadCache*>(cache);
  self.state_ = State::kEnded;
  for (List& list : self.lists_) list.most = list.bound = 0;
  self.flush();
  Guard guard(g_registry_lock);
  (self.previous_ != nullptr ? self.previous_->next_ : g_first) = self.next_;
  if (self.next_ != nullptr) self.next_->previous_ = self.previous_;
}

std::size_t ThreadCache::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::size_t index = 0; index < kClasses; ++index) {
    sum += lists_[index].count.load(std::memory_order_relaxed) * std::size_t{kSizeClasses[index].size};
  }
  return sum;
}

std::size_t ThreadCache::total_bytes() noexcept {
  Guard guard(g_registry_lock);
  std::size_t sum = 0;
  for (const ThreadCache* cache = g_first; cache != nullptr; cache = cache->next_) sum += cache->bytes();
  return sum;
}

}  // namespace brkmmap
