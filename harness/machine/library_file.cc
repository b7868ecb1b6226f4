// What a library's file says of itself (ELF) and what dpkg says of it; see library_search.h.
#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

#include "harness/machine/library_search.h"
#include "harness/machine/run_and_read.h"

namespace heapmark::machine {
namespace {

namespace fs = std::filesystem;

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Note = ElfW(Nhdr);

constexpr std::size_t kMostNoteBytes = 64 * 1024;  // real ones hold some hundred bytes

template <typename T>
bool read_at(std::ifstream& in, std::uint64_t offset, T* values, std::size_t count = 1) {
  in.clear();
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(reinterpret_cast<char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
  return in.good();
}

// The header of an ELF file of this process's own class, byte order and processor.
std::optional<Header> own_kind_of_header(std::ifstream& in) {
  std::ifstream self_in("/proc/self/exe", std::ios::binary);
  Header header, self;
  if (!read_at(in, 0, &header) || !read_at(self_in, 0, &self)) return std::nullopt;
  // e_ident up to the data encoding: magic, class, byte order.
  if (std::memcmp(header.e_ident, self.e_ident, EI_VERSION) != 0) return std::nullopt;
  if (header.e_machine != self.e_machine) return std::nullopt;
  return header;
}

std::size_t padded(std::size_t size) {
  return (size + 3) & ~std::size_t{3};
}

// The build id among the notes of one segment, or "".
std::string build_id_in(const std::vector<char>& notes) {
  for (std::size_t at = 0; at + sizeof(Note) <= notes.size();) {
    Note note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const std::size_t name = at + sizeof note;
    const std::size_t description = name + padded(note.n_namesz);
    const std::size_t end = description + note.n_descsz;
    if (end > notes.size()) return "";
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes.data() + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
      std::string hexadecimal;
      for (std::size_t i = description; i < end; ++i)
        hexadecimal += fmt::format("{:02x}", static_cast<unsigned char>(notes[i]));
      return hexadecimal;
    }
    at = description + padded(note.n_descsz);
  }
  return "";
}

}  // namespace

bool is_shared_library(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const auto header = own_kind_of_header(in);
  return header && header->e_type == ET_DYN;
}

std::string build_id(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const auto header = own_kind_of_header(in);
  if (!header || header->e_phentsize != sizeof(Segment)) return "";
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    Segment segment;
    if (!read_at(in, header->e_phoff + i * sizeof segment, &segment)) return "";
    if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNoteBytes) continue;
    std::vector<char> notes(segment.p_filesz);
    if (!read_at(in, segment.p_offset, notes.data(), notes.size())) return "";
    if (std::string id = build_id_in(notes); !id.empty()) return id;
  }
  return "";
}

std::map<std::string, std::string> debian_versions(const std::vector<std::string>& files) {
  if (files.empty()) return {};
  try {
    // On a merged /usr some packages still list a file as /lib/...: both names are asked for.
    std::map<std::string, std::string> asked;
    for (const std::string& file : files) {
      asked[file] = file;
      if (file.starts_with("/usr/lib")) asked[file.substr(4)] = file;
    }
    std::vector<std::string> search = {"dpkg-query", "--search"};
    for (const auto& [name, file] : asked) search.push_back(name);

    // "libc6:amd64: /lib/x86_64-linux-gnu/libc.so.6"; names that it does not know go to stderr.
    std::map<std::string, std::string> package_of;
    std::istringstream found(run_and_read(search, true).output);
    for (std::string line; std::getline(found, line);) {
      const std::size_t colon = line.find(": ");
      if (colon == std::string::npos) continue;
      const auto name = asked.find(line.substr(colon + 2));
      if (name != asked.end()) package_of[name->second] = line.substr(0, colon);
    }
    if (package_of.empty()) return {};

    std::vector<std::string> show = {"dpkg-query", "--show", "--showformat=${binary:Package} ${Version}\n"};
    std::set<std::string> packages;
    for (const auto& [file, package] : package_of) packages.insert(package);
    show.insert(show.end(), packages.begin(), packages.end());
    std::map<std::string, std::string> version_of;
    std::istringstream shown(run_and_read(show, true).output);
    for (std::string package, version; shown >> package >> version;) version_of[package] = version;

    std::map<std::string, std::string> versions;
    for (const auto& [file, package] : package_of)
      if (const auto version = version_of.find(package); version != version_of.end())
        versions[file] = version->second;
    return versions;
  } catch (const std::system_error&) {
    return {};  // no dpkg here
  }
}

}  // namespace heapmark::machine
