#include "harness/trace/trace_import.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <memory>
#include <stdexcept>
#include <unordered_map>

#include "harness/trace/address_book.h"
#include "harness/trace/bad_trace.h"

namespace heapmark::trace {

namespace {

// What is wrong with a line; whoever knows its number says the rest.
struct BadLine : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Splits at blanks into at most `Most` words; count() tells how many there are in all.
template <std::size_t Most>
class Words {
 public:
  explicit Words(std::string_view line) {
    for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
      const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
      if (count_ < Most) words_[count_] = line.substr(at, end - at);
      ++count_;
      at = end;
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string_view operator[](std::size_t number) const { return words_[number]; }

 private:
  std::string_view words_[Most];
  std::size_t count_ = 0;
};

// Decimal, or hexadecimal with 0x; "(nil)" is what printf has for null.
std::uint64_t number(std::string_view word, const char* what) {
  if (word == "(nil)") return 0;
  int base = 10;
  std::string_view digits = word;
  if (word.starts_with("0x") || word.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    throw BadLine(fmt::format("{} should be a number, not '{}'", what, word));
  return value;
}

// What was handed out has a size that a block can have; what was refused may have been anything.
std::uint64_t size_for(std::uint64_t address, std::uint64_t bytes) {
  if (address != 0 && bytes > kMaxRequest)
    throw BadLine(fmt::format("no allocator hands out a block of {} bytes", bytes));
  return bytes;
}

class Importer {
 public:
  Importer(const std::filesystem::path& to, const WriterOptions& options)
      : writer_(to, options), book_(writer_), has_times_(options.tick_ns != 1) {}
  virtual ~Importer() = default;
  // Throws BadLine.
  virtual void line(std::string_view text) = 0;
  // Whether the log ends within a call.
  [[nodiscard]] virtual bool ends_within_call() const { return false; }

  Header finish(std::uint64_t lost_events) {
    WriterCounts counts = book_.counts();
    counts.lost_events = lost_events;
    return writer_.finish(End::kImported, counts);
  }

 protected:
  TraceWriter writer_;
  AddressBook book_;
  bool has_times_;
};

class MemoryReplay : public Importer {
 public:
  using Importer::Importer;

  void line(std::string_view text) override {
    const Words<7> words(text);
    if (words.count() < 3 || !words[0].ends_with(':'))
      throw BadLine("it should read as 'TID: malloc 0xADDRESS SIZE'");
    const std::uint64_t tid = number(words[0].substr(0, words[0].size() - 1), "the thread");
    const std::string_view op = words[1];
    const std::uint64_t address = number(words[2], "the address");
    const auto argument = [&](std::size_t at, const char* what) {
      if (words.count() <= at) throw BadLine(fmt::format("{} lacks {}", op, what));
      return number(words[at], what);
    };
    if (op == "malloc") {
      const std::uint64_t bytes = size_for(address, argument(3, "the size"));
      const auto [thread, time] = at(words, 4, tid, true);
      book_.request(thread, time, Op::kMalloc, address, bytes);
    } else if (op == "calloc") {
      std::uint64_t bytes = 0;
      if (__builtin_mul_overflow(argument(3, "the count"), argument(4, "the size"), &bytes))
        bytes = ~std::uint64_t{0};
      size_for(address, bytes);
      const auto [thread, time] = at(words, 5, tid, true);
      book_.request(thread, time, Op::kCalloc, address, bytes);
    } else if (op == "memalign") {
      const std::uint64_t alignment = argument(3, "the alignment");
      const std::uint64_t bytes = size_for(address, argument(4, "the size"));
      if (alignment > kMaxRequest) throw BadLine(fmt::format("no alignment is as large as {}", alignment));
      // memalign takes the next power of two (glibc and bionic).
      const auto log2_alignment = static_cast<std::uint8_t>(std::bit_width(std::bit_ceil(alignment)) - 1);
      const auto [thread, time] = at(words, 5, tid, true);
      book_.request(thread, time, Op::kAligned, address, bytes, log2_alignment);
    } else if (op == "realloc") {
      const std::uint64_t old = argument(3, "the old address"),
                          bytes = size_for(address, argument(4, "the size"));
      const auto [thread, time] = at(words, 5, tid, true);
      book_.resize(thread, time, old, address, bytes);
    } else if (op == "free") {
      const auto [thread, time] = at(words, 3, tid, false);
      book_.free(thread, time, address);
    } else if (op == "thread_done") {
      const auto [thread, time] = at(words, 3, tid, false);
      // The first thread goes on: it starts those of whom no start is in the log.
      if (thread != 0) writer_.end(thread, time);
      threads_.erase(tid);
    } else {
      throw BadLine(fmt::format("'{}' is none of malloc, calloc, realloc, memalign, free, thread_done", op));
    }
  }

 private:
  struct Place {
    std::uint32_t thread;
    std::uint64_t time_ns;
  };

  // Reads what follows the arguments: nothing, or start and end of the call. A block is there when the call
  // has ended, and is given up when the call begins; an end of a thread has one time.
  Place at(const Words<7>& words, std::size_t first, std::uint64_t tid, bool when_ended) {
    std::uint64_t time = writer_.events();
    if (words.count() > 7 || (words.count() > first && words.count() - first > 2))
      throw BadLine("more follows than a start and an end");
    if (words.count() > first) {
      const std::uint64_t start = number(words[first], "the start"),
                          end = number(words[words.count() - 1], "the end");
      if (has_times_) time = since_start(when_ended ? end : start);
    } else if (has_times_) {
      time = 0;  // the writer takes the latest so far
    }
    const auto found = threads_.find(tid);
    if (found != threads_.end()) return {found->second, time};
    if (started_ == kMaxThreads)
      throw BadLine(fmt::format("it begins thread {}, which is more than a trace can have", started_));
    // A thread whose first line leaves no event (the free of an unknown address) has started all the same.
    if (started_ != 0) writer_.spawn(0, time, started_);
    return {threads_[tid] = started_++, time};
  }

  std::uint64_t since_start(std::uint64_t time) {
    if (!has_start_) start_ = time;
    has_start_ = true;
    return time > start_ ? time - start_ : 0;
  }

  std::unordered_map<std::uint64_t, std::uint32_t> threads_;  // of thread ids: they are used again
  std::uint32_t started_ = 0;
  std::uint64_t start_ = 0;
  bool has_start_ = false;
};

class Mtrace : public Importer {
 public:
  using Importer::Importer;

  void line(std::string_view text) override {
    if (text.starts_with('=')) return;
    // The caller in front may hold blanks: what counts is at the end.
    const auto [sign, first, second] = last_words(text);
    const std::uint64_t time = writer_.events();
    if (is_resizing_ && sign != '>') throw BadLine("'>' should follow the '<' of a realloc");
    switch (sign) {
      case '+': {
        const std::uint64_t address = number(first, "the address"), bytes = number(second, "the size");
        book_.request(0, time, Op::kMalloc, address, size_for(address, bytes));
        break;
      }
      case '-':
        book_.free(0, time, number(first, "the address"));
        break;
      case '<':
        old_address_ = number(first, "the address");
        is_resizing_ = true;
        break;
      case '>': {
        if (!is_resizing_) throw BadLine("'<' should be before the '>' of a realloc");
        const std::uint64_t address = number(first, "the address"), bytes = number(second, "the size");
        book_.resize(0, time, old_address_, address, size_for(address, bytes));
        is_resizing_ = false;
        break;
      }
      default:  // '!'
        (void)number(first, "the address");
        writer_.refused(0, time, number(second, "the size"));
    }
  }

  [[nodiscard]] bool ends_within_call() const override { return is_resizing_; }

 private:
  struct Last {
    char sign;
    std::string_view first, second;
  };

  static std::string_view cut_last(std::string_view& text) {
    text.remove_suffix(text.size() - std::min(text.size(), text.find_last_not_of(" \t") + 1));
    const std::size_t blank = text.find_last_of(" \t");
    const std::string_view word = text.substr(blank == std::string_view::npos ? 0 : blank + 1);
    text.remove_suffix(word.size());
    return word;
  }

  static Last last_words(std::string_view text) {
    const std::string_view last = cut_last(text), before = cut_last(text);
    if (before == "-" || before == "<") return {before[0], last, {}};
    const std::string_view first = cut_last(text);
    if (first == "+" || first == ">" || first == "!") return {first[0], before, last};
    throw BadLine("it should read as '@ CALLER + 0xADDRESS 0xSIZE', with one of + - < > !");
  }

  std::uint64_t old_address_ = 0;
  bool is_resizing_ = false;
};

std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) return line;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return {};
}

bool has_times(std::string_view text) {
  const Words<7> words(first_line(text));
  const std::string_view op = words[1];
  const std::size_t arguments = op == "malloc" ? 4 : op == "free" || op == "thread_done" ? 3 : 5;
  return words.count() > arguments;
}

}  // namespace

const char* format_name(ForeignFormat format) {
  return format == ForeignFormat::kMtrace ? "mtrace" : "memory_replay";
}

const std::vector<ForeignFormat>& foreign_formats() {
  static const std::vector<ForeignFormat> formats{ForeignFormat::kMemoryReplay, ForeignFormat::kMtrace};
  return formats;
}

std::optional<ForeignFormat> recognise(std::string_view text) {
  const Words<3> words(first_line(text));
  const std::string_view first = words[0];
  if (first == "=" || first == "@" || first == "+" || first == "-") return ForeignFormat::kMtrace;
  const bool is_tid =
      first.size() > 1 && first.ends_with(':') &&
      std::all_of(first.begin(), first.end() - 1, [](char c) { return c >= '0' && c <= '9'; });
  if (is_tid && words.count() >= 3) return ForeignFormat::kMemoryReplay;
  return std::nullopt;
}

Header import_trace(std::string_view text, const std::string& name, ForeignFormat format,
                    const std::filesystem::path& to, const std::function<void(double)>& progress) {
  WriterOptions options;
  const bool timed = format == ForeignFormat::kMemoryReplay && has_times(text);
  options.tick_ns = timed ? 100 : 1;
  options.text = {{"imported", fmt::format("{} ({})", name, format_name(format))}};
  if (!timed) options.text.emplace_back("clock", "events");
  options.segment_events =
      segment_events_for(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')));

  std::unique_ptr<Importer> importer;
  if (format == ForeignFormat::kMtrace)
    importer = std::make_unique<Mtrace>(to, options);
  else
    importer = std::make_unique<MemoryReplay>(to, options);
  std::uint64_t number = 0, lost = 0;
  constexpr std::uint64_t kLinesBetween = 1 << 16;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string_view line = text.substr(at, end == std::string_view::npos ? end : end - at);
    at += line.size() + 1;
    if (++number % kLinesBetween == 0 && progress)
      progress(static_cast<double>(at) / static_cast<double>(text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    try {
      importer->line(line);
    } catch (const BadLine& error) {
      if (end != std::string_view::npos)
        throw BadTrace(fmt::format("{}:{}: {}: {}", name, number, format_name(format), error.what()));
      ++lost;
    }
  }
  if (importer->ends_within_call()) ++lost;
  return importer->finish(lost);
}

}  // namespace heapmark::trace
