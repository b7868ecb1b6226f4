// The reading end of a pipe that a measured command writes to: counts and hashes what comes and keeps the
// last bytes, so that a command may print as much as it likes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "harness/trial/child.h"

namespace heapmark::trial {

// FNV-1a, 64 bits (draft-eastlake-fnv), over pieces.
class Fnv {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

inline constexpr std::size_t kKeptOutputBytes = 1 << 20;  // of a command's standard output: for --figure
inline constexpr std::size_t kKeptErrorBytes = 4096;      // of its standard error: for messages

class Drain {
 public:
  explicit Drain(std::size_t kept_bytes);  // how many of the last bytes are kept; throws std::system_error
  [[nodiscard]] int fd() const { return reader_.get(); }      // to wait for
  [[nodiscard]] int writer() const { return writer_.get(); }  // for the command
  void close_writer() { writer_ = Descriptor(); }             // once the command has it
  void read_what_is_there();                                  // without waiting
  [[nodiscard]] bool is_over() const { return over_; }        // nobody can write any more
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::string hash() const;        // 16 hexadecimal digits
  [[nodiscard]] std::string last_words() const;  // the end of what came, made one line
  [[nodiscard]] const std::string& tail() const { return tail_; }

 private:
  std::size_t kept_bytes_;
  Descriptor reader_, writer_;
  bool over_ = false;
  std::uint64_t bytes_ = 0;
  Fnv hash_;
  std::string tail_;
};

}  // namespace heapmark::trial
