// See drain.h.
#include "harness/trial/drain.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>
#include <vector>

namespace heapmark::trial {
namespace {

constexpr int kPipeBytes = 1 << 20;  // so that a command that prints a lot seldom waits for us
constexpr std::size_t kLastWords = 300;
constexpr int kMostReads = 16;

}  // namespace

Drain::Drain(std::size_t kept_bytes) : kept_bytes_(kept_bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "a pipe");
  reader_ = Descriptor(ends[0]);
  writer_ = Descriptor(ends[1]);
  ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
  (void)::fcntl(reader_.get(), F_SETPIPE_SZ, kPipeBytes);  // less will do
}

void Drain::read_what_is_there() {
  static thread_local std::vector<char> buffer(kPipeBytes);
  // A command that prints without end must not keep us from looking at the time.
  for (int times = 0; !over_ && times < kMostReads; ++times) {
    const ssize_t got = ::read(reader_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;  // EAGAIN
    over_ = got == 0;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
    bytes_ += piece.size();
    hash_.add(piece);
    tail_ += piece.substr(piece.size() - std::min(piece.size(), kept_bytes_));
    if (tail_.size() > kept_bytes_) tail_.erase(0, tail_.size() - kept_bytes_);
  }
}

std::string Drain::hash() const {
  return fmt::format("{:016x}", hash_.value());
}

std::string Drain::last_words() const {
  std::string text = tail_.substr(tail_.size() - std::min(tail_.size(), kLastWords));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace heapmark::trial
