// One misuse a run, named by the argument: see misuse_test.cc.
#include <cstdio>
#include <cstdlib>
#include <string>

static void* hidden(void* pointer) {
  asm volatile("" : "+r"(pointer) : : "memory");
  return pointer;
}

int main(int, char** argv) {
  const std::string misuse = argv[1];
  const std::size_t space = misuse.find(' ');
  const std::string name = misuse.substr(0, space);
  const std::size_t size = space == std::string::npos ? 0 : std::stoul(misuse.substr(space));
  static char global[64];
  char local[64];
  void* guard = hidden(std::malloc(size));  // so that the block is not alone
  char* block = static_cast<char*>(hidden(std::malloc(size)));
  void* after = hidden(std::malloc(size));
  if (name == "free-stack") std::free(hidden(local + 16));
  if (name == "free-global") std::free(hidden(global + 16));
  if (name == "free-interior") std::free(hidden(block + 16));
  if (name == "double-free" || name == "realloc-freed") {
    std::free(block);
    if (name == "double-free")
      std::free(hidden(block));
    else
      std::free(std::realloc(hidden(block), 2 * size));
  }
  if (name == "write-freed" || name == "double-free-later") {
    void* others[16];  // of another size; enough frees that none has still to be done
    for (void*& other : others) other = hidden(std::malloc(40));
    std::free(block);
    std::free(after);
    after = nullptr;
    if (name == "double-free-later") std::free(hidden(block));
    for (void* other : others) std::free(hidden(other));
    if (name == "write-freed") block[3] = static_cast<char>(block[3] + 1);
    for (int at = 0; at < 64; ++at) hidden(std::malloc(size));
  }
  std::free(guard);
  std::free(after);
  std::puts("nothing was found");
}
