// See size_source.h.
#include "workloads/size_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/contract/size_spec.h"
#include "workloads/text.h"

namespace heapmark {
namespace {

// The smallest size that draw_size() gives at this step.
std::uint64_t size_at(std::uint32_t step) {
  return static_cast<std::uint64_t>(
      (static_cast<unsigned __int128>(detail::kOctave.value[step % kStepsAnOctave])
       << (step / kStepsAnOctave)) >>
      32);
}

// The first step that gives `bytes`.
std::uint32_t step_of(std::uint64_t bytes) {
  const auto exponent = static_cast<std::uint32_t>(63 - __builtin_clzll(bytes));
  std::uint32_t step = octave(exponent);
  while (size_at(step) < bytes && size_at(step + 1) <= bytes) ++step;
  return step;
}

// A step's sizes are uniform, and each step is as likely as any other.
std::uint64_t mean_of(const LogUniform& steps) {
  std::uint64_t sum = 0;
  for (std::uint32_t step = steps.from; step < steps.to; ++step)
    sum += (size_at(step) + size_at(step + 1)) / 2;
  const std::uint64_t mean = sum / (steps.to - steps.from);
  return mean == 0 ? 1 : mean;
}

[[noreturn]] void refuse_file(Context& context, const char* path, const char* what, std::int64_t line) {
  Message message;
  message.add("sizes file ").add(path);
  if (line > 0) message.add(", line ").add(line);
  context.fail(Outcome::kRefused, message.add(": ").add(what).c_str());
}

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r';
}

// A whole number of at most 2^30 at `at`, which is moved behind it; 0 where there is none.
std::uint64_t read_whole(const char*& at, const char* end) {
  while (at != end && is_blank(*at)) ++at;
  std::uint64_t value = 0;
  for (; at != end && *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
    if (value > kLargestSize) return 0;
  }
  return value;
}

}  // namespace

SizeSource::SizeSource(const LogUniform& steps)
    : steps_(steps),
      low_(size_at(steps.from)),
      high_(size_at(steps.to)),
      mean_(mean_of(steps)),
      largest_(high_ - 1) {}

void SizeSource::set_up(Context& context, const char* parameter) {
  const char* const text = context.text(parameter);
  const SizeSpec spec = parse_size_spec(text);
  if (spec.form == SizeSpec::Form::kFile) {
    load(context, text + 1);
    return;
  }
  if (spec.form == SizeSpec::Form::kWrong) context.fail(Outcome::kUsage, kSizeSpecHelp);
  low_ = largest_ = mean_ = spec.low;
  steps_ = {0, 0};
  if (spec.form == SizeSpec::Form::kOne) return;
  high_ = spec.high;
  largest_ = high_ - 1;
  const std::uint32_t end = step_of(high_);
  steps_ = {step_of(low_), size_at(end) == high_ ? end : end + 1};
  mean_ = mean_of(steps_);
}

void SizeSource::load(Context& context, const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat file {};
  if (fd < 0 || fstat(fd, &file) != 0)
    refuse_file(context, path, "cannot be opened: the path is relative to where heapmark was started", 0);
  const auto size = static_cast<std::size_t>(file.st_size);
  if (!S_ISREG(file.st_mode) || size == 0 || size > 16 * 1024 * 1024)
    refuse_file(context, path, "must be a file of at most 16 MiB that is not empty", 0);
  char* const text = static_cast<char*>(context.own_memory(size));
  std::size_t got = 0;
  for (ssize_t more = 1; got < size && more > 0; got += static_cast<std::size_t>(more > 0 ? more : 0))
    more = read(fd, text + got, size - got);
  close(fd);
  if (got != size) refuse_file(context, path, "cannot be read", 0);

  std::uint64_t lines = 1;
  for (std::size_t at = 0; at < size; ++at) lines += text[at] == '\n';
  Row* const rows = static_cast<Row*>(context.own_memory(lines * sizeof(Row)));
  unsigned __int128 bytes_sum = 0;
  std::int64_t line = 0;
  for (const char *at = text, *const end = text + size; at < end;) {
    ++line;
    const char* stop = at;
    while (stop != end && *stop != '\n') ++stop;
    while (at != stop && is_blank(*at)) ++at;
    if (at != stop && *at != '#') {
      const std::uint64_t bytes = read_whole(at, stop), weight = read_whole(at, stop);
      while (at != stop && is_blank(*at)) ++at;
      if (bytes == 0 || weight == 0 || at != stop)
        refuse_file(context, path, "BYTES WEIGHT is wanted, both whole numbers from 1 to 2^30", line);
      total_weight_ += weight;
      bytes_sum += static_cast<unsigned __int128>(bytes) * weight;
      if (bytes > largest_) largest_ = bytes;
      rows[row_count_++] = {bytes, total_weight_};
    }
    at = stop + 1;
  }
  if (row_count_ == 0) refuse_file(context, path, "holds no line BYTES WEIGHT", 0);
  mean_ = static_cast<std::uint64_t>(bytes_sum / total_weight_);
  if (mean_ == 0) mean_ = 1;
  rows_ = rows;
}

std::uint64_t SizeSource::at_weight(std::uint64_t weight) const {
  std::uint64_t first = 0, count = row_count_;
  while (count > 1) {
    const std::uint64_t half = count / 2;
    if (rows_[first + half - 1].weight_up_to <= weight) {
      first += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return rows_[first].bytes;
}

std::uint64_t SizeSource::draw_drifting(std::uint32_t phase, std::uint32_t phases, Rng& random) const {
  if (rows_ != nullptr) {
    if (random.below(2) == 0) return at_weight(random.below(total_weight_));
    const std::uint64_t window = total_weight_ / phases > 0 ? total_weight_ / phases : 1;
    return at_weight((window * (phase % phases) + random.below(window)) % total_weight_);
  }
  if (steps_.to - steps_.from < phases) return draw(random);
  for (;;) {
    const std::uint64_t bytes = heapmark::draw_drifting(steps_, phase, phases, random);
    if (bytes >= low_ && bytes < high_) return bytes;
  }
}

}  // namespace heapmark
