// See program_file.h. ELF: elf(5); scripts: execve(2), "Interpreter scripts".
#include "harness/machine/program_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>

#include "harness/machine/run_and_read.h"

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

// A file mapped to read.
class Mapped {
 public:
  explicit Mapped(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (fd >= 0 && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (at != MAP_FAILED) data_ = static_cast<const char*>(at);
    }
    if (fd >= 0) ::close(fd);
  }
  ~Mapped() {
    if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  [[nodiscard]] std::string_view text() const { return data_ ? std::string_view(data_, size_) : ""; }

 private:
  const char* data_ = nullptr;
  std::size_t size_ = 0;
};

// `count` values at `offset`, or nothing where the file ends before.
template <typename T>
const T* values_at(std::string_view file, std::uint64_t offset, std::uint64_t count = 1) {
  if (offset > file.size() || count > (file.size() - offset) / sizeof(T) || offset % alignof(T) != 0)
    return nullptr;
  return reinterpret_cast<const T*>(file.data() + offset);
}

std::string_view string_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return "";
  const std::string_view rest = strings.substr(offset);
  return rest.substr(0, rest.find('\0'));
}

struct Known {
  const char* symbol;
  const char* text;  // what its messages begin with, which stays where the symbols are stripped
  const char* allocator;
};
constexpr Known kAllocators[] = {
    {"je_malloc", "<jemalloc>: ", "jemalloc"}, {"_rjem_malloc", "<jemalloc>: ", "jemalloc"},
    {"mi_malloc", "mimalloc: ", "mimalloc"},   {"tc_malloc", "tcmalloc: ", "tcmalloc"},
    {"rpmalloc", nullptr, "rpmalloc"},         {"snmalloc_malloc", nullptr, "snmalloc"}};

template <typename See>  // called with each symbol that is defined, and its type
void for_symbols(std::string_view file, const ElfW(Shdr) & section, const ElfW(Shdr) & names,
                 const See& see) {
  const std::uint64_t count = section.sh_size / sizeof(ElfW(Sym));
  const auto* symbols = values_at<ElfW(Sym)>(file, section.sh_offset, count);
  if (symbols == nullptr || names.sh_offset > file.size()) return;
  const std::string_view strings = file.substr(names.sh_offset, names.sh_size);
  for (std::uint64_t at = 0; at < count; ++at) {
    if (symbols[at].st_shndx == SHN_UNDEF) continue;
    const auto type = ELF64_ST_TYPE(symbols[at].st_info);  // the same for both classes
    see(string_at(strings, symbols[at].st_name), type);
  }
}

template <typename See, typename SeeSection>
void for_sections(std::string_view file, const ElfW(Ehdr) & header, const See& see,
                  const SeeSection& section_seen) {
  const auto* sections = values_at<ElfW(Shdr)>(file, header.e_shoff, header.e_shnum);
  if (sections == nullptr || header.e_shstrndx >= header.e_shnum) return;
  const ElfW(Shdr)& names = sections[header.e_shstrndx];
  if (names.sh_offset > file.size()) return;
  const std::string_view strings = file.substr(names.sh_offset, names.sh_size);
  for (unsigned at = 0; at < header.e_shnum; ++at) {
    const ElfW(Shdr)& section = sections[at];
    const std::string_view name = string_at(strings, section.sh_name);
    section_seen(name);
    if ((section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM) && section.sh_link < header.e_shnum)
      for_symbols(file, section, sections[section.sh_link], see);
  }
}

void read_sections(std::string_view file, const ElfW(Ehdr) & header, ProgramFacts& facts) {
  const auto see_symbol = [&](std::string_view name, unsigned type) {
    if (type != STT_FUNC && type != STT_GNU_IFUNC) return;
    if (name == "malloc") facts.defines_malloc = true;
    for (const Known& known : kAllocators)
      if (name == known.symbol) facts.linked_in = known.allocator;
  };
  for_sections(file, header, see_symbol, [&](std::string_view name) {
    facts.is_go |= name == ".go.buildinfo" || name == ".note.go.buildid" || name == ".gopclntab";
  });
}

// The header of a file of this process's class, or null.
const ElfW(Ehdr) * header_of(std::string_view file) {
  const auto* header = values_at<ElfW(Ehdr)>(file, 0);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32))
    return nullptr;
  return header;
}

ProgramFacts read_facts(const fs::path& path) {
  ProgramFacts facts;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0)
    facts.is_set_id = ((status.st_mode & S_ISUID) != 0 && status.st_uid != ::geteuid()) ||
                      ((status.st_mode & S_ISGID) != 0 && status.st_gid != ::getegid());
  const Mapped mapped(path);
  const std::string_view file = mapped.text();
  const auto* header = header_of(file);
  if (header == nullptr) return facts;
  facts.is_elf = true;
  const auto* segments = values_at<ElfW(Phdr)>(file, header->e_phoff, header->e_phnum);
  bool names_loader = false;
  for (unsigned at = 0; segments != nullptr && at < header->e_phnum; ++at)
    names_loader |= segments[at].p_type == PT_INTERP;
  facts.is_static = !names_loader;
  read_sections(file, *header, facts);
  if (facts.linked_in.empty())
    for (const Known& known : kAllocators)
      if (known.text != nullptr && file.find(known.text) != std::string_view::npos)
        facts.linked_in = known.allocator;
  return facts;
}

std::string in_path(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/bin:/usr/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string file = (folder.empty() ? "." : folder) + "/" + program;
    std::error_code error;
    if (::access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file, error)) return file;
  }
  return "";
}

}  // namespace

const ProgramFacts& program_facts(const fs::path& file) {
  static std::map<std::string, ProgramFacts> known;
  const auto [at, fresh] = known.try_emplace(file.string());
  if (fresh) at->second = read_facts(file);
  return at->second;
}

std::string program_behind(const std::string& program, const std::string& folder) {
  constexpr int kMostScripts = 5;  // as the kernel has it
  std::string file = program;
  for (int scripts = 0; scripts < kMostScripts; ++scripts) {
    if (file.find('/') == std::string::npos) file = in_path(file);
    if (file.empty()) return "";
    if (file.front() != '/' && !folder.empty()) file = folder + "/" + file;
    std::ifstream in(file, std::ios::binary);
    std::string line;
    char start[2] = {};
    if (!in.read(start, 2)) return "";
    if (start[0] != '#' || start[1] != '!') {
      std::error_code error;
      const fs::path real = fs::canonical(file, error);
      return error || !program_facts(real).is_elf ? "" : real.string();
    }
    std::getline(in, line);
    std::istringstream words(line);
    words >> file;
    if (fs::path(file).filename() == "env") {
      std::string word;
      while (words >> word && (word.starts_with('-') || word.find('=') != std::string::npos)) {
      }
      file = word;
    }
  }
  return "";
}

std::string why_own_malloc(const ProgramFacts& facts) {
  if (facts.is_go) return "is a Go program, whose heap is the Go runtime's";
  if (facts.is_static) return "is statically linked";
  if (facts.is_set_id) return "is set-user-id or set-group-id, and the loader preloads nothing there";
  if (!facts.linked_in.empty()) return "has " + facts.linked_in + " linked in";
  if (facts.defines_malloc) return "has a malloc of its own linked in";
  return "";
}

bool exports_symbol(const fs::path& path, const std::string& symbol) {
  const Mapped mapped(path);
  bool found = false;
  if (const auto* header = header_of(mapped.text()))
    for_sections(
        mapped.text(), *header, [&](std::string_view name, unsigned) { found |= name == symbol; },
        [](std::string_view) {});
  return found;
}

std::string version_written_in(const fs::path& path) {
  if (!exports_symbol(path, "mallctl")) return "";
  // JEMALLOC_VERSION: three numbers, commits since, "g" and the commit.
  const Mapped mapped(path);
  const std::string_view file = mapped.text();
  for (std::size_t at = file.find("-g"); at != std::string_view::npos; at = file.find("-g", at + 1)) {
    std::size_t begin = at, end = at + 2;
    while (begin > 0 && (std::isdigit(static_cast<unsigned char>(file[begin - 1])) ||
                         file[begin - 1] == '.' || file[begin - 1] == '-'))
      --begin;
    while (end < file.size() && std::isxdigit(static_cast<unsigned char>(file[end]))) ++end;
    const std::string_view version = file.substr(begin, end - begin);
    if (end - at == 2 + 40 && std::count(version.begin(), version.end(), '.') == 2 && begin < at)
      return std::string(version);
  }
  return "";
}

bool is_c_library(const fs::path& file) {
  const std::string name = file.filename();
  return name.starts_with("libc.so") || name.starts_with("libc-2.") || name.starts_with("ld-linux") ||
         name.starts_with("ld-2.") || name.starts_with("ld-musl");
}

std::vector<std::string> linked_mallocs(const std::string& program) {
  std::vector<std::string> found;
  std::string loader;
  {
    const Mapped mapped(program);
    const std::string_view file = mapped.text();
    const auto* header = values_at<ElfW(Ehdr)>(file, 0);
    const auto* segments = header ? values_at<ElfW(Phdr)>(file, header->e_phoff, header->e_phnum) : nullptr;
    for (unsigned at = 0; segments != nullptr && at < header->e_phnum; ++at)
      if (segments[at].p_type == PT_INTERP) loader = string_at(file, segments[at].p_offset);
  }
  if (loader.empty()) return found;
  try {
    // "	libjemalloc.so.2 => /lib/x86_64-linux-gnu/libjemalloc.so.2 (0x00007f...)"
    std::istringstream lines(run_and_read({loader, "--list", program}, true).output);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t arrow = line.find("=> /");
      if (arrow == std::string::npos) continue;
      const std::string file = line.substr(arrow + 3, line.find(" (", arrow) - arrow - 3);
      std::error_code error;
      const fs::path real = fs::canonical(file, error);
      if (!error && !is_c_library(real) && program_facts(real).defines_malloc) found.push_back(real);
    }
  } catch (const std::system_error&) {
  }
  return found;
}

}  // namespace heapmark::machine
