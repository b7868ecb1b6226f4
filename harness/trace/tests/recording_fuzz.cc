// The fuzzer's target for raw recordings: files as a program that was killed, a full disk or damage may have
// left them are closed. Whatever they hold, each process becomes a trace that passes its check, or the
// recording is refused as a whole when it is opened; of calls as the recorder writes them no request may be
// lost.
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "harness/trace/closing.h"
#include "harness/trace/tests/fuzz_recording.h"
#include "harness/trace/tests/fuzz_target.h"
#include "harness/trace/trace_walk.h"

namespace heapmark::trace {
namespace {

constexpr std::size_t kMostRegions = 64;
// Of a counter's rate, as a damaged control page may say it.
constexpr double kOddRates[] = {0, -1, NAN, INFINITY, 1e300, 1e-300, 1e19, 1e-19};

// A file that is written anew for each input; no longer there at the end.
class RawFile {
 public:
  RawFile() : path_(scratch().string() + ".raw") {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) fail("recording", "no room in /dev/shm");
  }
  ~RawFile() {
    ::close(fd_);
    (void)::unlink(path_.c_str());
  }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  void write(const std::string& bytes) const {
    if (::ftruncate(fd_, 0) != 0 ||
        ::pwrite(fd_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      fail("recording", "no room in /dev/shm");
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

const RawFile& raw_file() {
  static const RawFile file;
  return file;
}

// Writes the file: control page, text, regions.
void write_recording(RawControl& control, const std::vector<FuzzRegion>& regions) {
  static const std::string text = "command=fuzzed\nallocator=none\n";
  control.magic = kRawControlMagic;
  control.version = kRawVersion;
  std::string bytes(kRawFirstRegion, '\0');
  bytes.replace(kRawTextOffset, text.size(), text);
  for (const FuzzRegion& region : regions) bytes += region.region();
  control.next_offset = bytes.size();
  bytes.replace(0, sizeof control, reinterpret_cast<const char*>(&control), sizeof control);
  raw_file().write(bytes);
}

// Closes all processes; returns the last one's header.
Header close_all(const RawRecording& recording) {
  const double rate = ns_per_tick(recording);
  Header last{};
  for (const RawProcess& process : processes_of(recording)) {
    last = close_process(recording, process, rate, End::kKilled, scratch(), nullptr).header;
    try {
      TraceReading reading(scratch());
      check(reading);
    } catch (const BadTrace& error) {
      fail("closing", error.what());
    }
  }
  return last;
}

}  // namespace

void try_regions(const std::string& input) {
  FuzzBytes bytes(input);
  RawControl control{};
  control.counter = static_cast<RawCounter>(bytes.byte() % 3);
  control.time_shift = bytes.byte() % 18;
  const unsigned rate = bytes.byte();
  control.ns_per_tick = rate < std::size(kOddRates) ? kOddRates[rate] : rate / 64.0;
  control.end_ns = bytes.pair() * std::uint64_t{1'000'000};
  control.end_ticks = bytes.pair() * std::uint64_t{1'000'000};
  control.main_pid = static_cast<std::int32_t>(bytes.byte());
  std::vector<FuzzRegion> regions;
  while (!bytes.at_end() && regions.size() < kMostRegions) regions.push_back(FuzzRegion::from(bytes));
  write_recording(control, regions);
  try {
    const RawRecording recording = RawRecording::open(raw_file().path());
    close_all(recording);
  } catch (const std::logic_error& error) {
    fail("closing", error.what());  // the writer refuses what closing gave it
  } catch (const std::runtime_error&) {
    return;  // the control page is not that of a recording
  }
}

void try_calls(const std::string& input) {
  FuzzCalls calls = calls_of(input);
  if (calls.regions.size() == 1) return;  // no call
  RawControl control{};
  control.counter = RawCounter::kClockNs;
  control.time_shift = kRawClockShift;
  control.ns_per_tick = 1;
  write_recording(control, calls.regions);
  const Header made = close_all(RawRecording::open(raw_file().path()));
  if (made.objects != calls.objects) fail("calls", "a request is not in the trace");
  if (made.refused_requests != calls.refused) fail("calls", "a refused request is not in the trace");
}

}  // namespace heapmark::trace
