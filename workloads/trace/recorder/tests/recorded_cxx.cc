// The forms of new and delete, each with a size of its own, and a new that throws: see recorded.c.
#include <cstddef>
#include <new>
#include <thread>

// clang has them only by -fsized-deallocation.
void operator delete(void* block, std::size_t bytes) noexcept;
void operator delete[](void* block, std::size_t bytes) noexcept;
void operator delete(void* block, std::size_t bytes, std::align_val_t alignment) noexcept;

namespace {

void* volatile escaped;

void* kept(void* block) {
  escaped = block;
  return escaped;
}

}  // namespace

int main() {
  ::operator delete(kept(::operator new(4001)));
  ::operator delete[](kept(::operator new[](4002)));
  ::operator delete(kept(::operator new(4003, std::nothrow)), std::nothrow);
  ::operator delete[](kept(::operator new[](4004, std::nothrow)), std::nothrow);
  ::operator delete (kept(::operator new(4005)), std::size_t{4005});
  ::operator delete[](kept(::operator new[](4006)), std::size_t{4006});
  const std::align_val_t aligned{128};
  ::operator delete(kept(::operator new(4007, aligned)), aligned);
  ::operator delete[](kept(::operator new[](4008, aligned)), aligned);
  ::operator delete(kept(::operator new(4009, aligned, std::nothrow)), aligned, std::nothrow);
  ::operator delete (kept(::operator new(4010, aligned)), std::size_t{4010}, aligned);
  int thrown = 0;
  volatile std::size_t impossible = std::size_t{1} << 61;
  for (int time = 0; time < 3; ++time) {
    try {
      kept(::operator new(impossible));
    } catch (const std::bad_alloc&) {
      ++thrown;
    }
  }
  // Recording goes on after them.
  ::operator delete(kept(::operator new(4011)));
  std::thread([] { ::operator delete(kept(::operator new(4012))); }).join();
  return thrown == 3 ? 0 : 1;
}
