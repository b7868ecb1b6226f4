// A regular file in memory, read only, for as long as the object lives. A file that another program shortens
// meanwhile ends this one (SIGBUS), as with every mapping.
#pragma once

#include <filesystem>
#include <string_view>

namespace heapmark::trace {

class MappedFile {
 public:
  // Throws std::system_error where the file cannot be read, BadTrace where it is no regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  // Gives back the memory of what lies before `offset`: a file that is read once through takes little of it,
  // whatever its length. What is accessed again is read from the disk again.
  void drop_before(std::size_t offset);

  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(at_), count_}; }

 private:
  void* at_ = nullptr;
  std::size_t count_ = 0, dropped_ = 0;
};

}  // namespace heapmark::trace
