// Texts built without malloc and without stdio, for messages of the measured process. What does not fit is
// cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace heapmark {

template <std::size_t Size>
class Text {
 public:
  Text& add(const char* text) {
    while (*text != '\0' && used_ + 1 < Size) text_[used_++] = *text++;
    text_[used_] = '\0';
    return *this;
  }
  Text& add(std::int64_t value) {
    char digits[24];
    std::size_t at = sizeof digits;
    digits[--at] = '\0';
    std::uint64_t rest =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    do {
      digits[--at] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (value < 0) digits[--at] = '-';
    return add(digits + at);
  }
  // "300K" where it is whole KiB, bytes otherwise; with a sign where one is asked for.
  Text& add_bytes(std::int64_t bytes, bool with_sign = false) {
    if (with_sign && bytes >= 0) add("+");
    if (bytes % 1024 == 0 && bytes != 0) return add(bytes / 1024).add("K");
    return add(bytes).add(" bytes");
  }
  const char* c_str() const { return text_; }
  std::size_t size() const { return used_; }

 private:
  char text_[Size] = {};
  std::size_t used_ = 0;
};

using Message = Text<240>;

}  // namespace heapmark
