// What lies at the start of a free object in a thread's list: a link, and a check over it made with the
// process's secret. The check tells a double free, and at the latest when the object is next used that
// somebody wrote into it.
#pragma once

#include <cstdint>

namespace brkmmap {

// Random from the first slow step of any thread on, and since then the same: a thread reads it after a slow
// step of its own.
extern constinit std::uintptr_t secret;

struct Object {
  Object* next;
  std::uintptr_t check;

  std::uintptr_t right_check() const noexcept {
    return reinterpret_cast<std::uintptr_t>(next) ^ reinterpret_cast<std::uintptr_t>(this) ^ secret;
  }
  bool is_free() const noexcept { return check == right_check(); }
  void link(Object* to) noexcept {
    next = to;
    check = right_check();
  }
  void hand_out() noexcept { check = 0; }
};

}  // namespace brkmmap
