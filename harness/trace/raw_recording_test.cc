// A raw recording that is read while a thread of the program still fills its buffer, writes it out and begins
// anew; and which versions are read.
#include "harness/trace/raw_recording.h"

#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <random>
#include <thread>

#include "harness/trace/closing.h"
#include "harness/trace/example_recording.h"
#include "testing/folder.h"
#include "testing/trace_events.h"

namespace heapmark::trace {
namespace {

using testing::Folder;
using testing::read_trace;
using testing::TraceEvents;

// A thread of the program, as workloads/trace/recorder has it: its buffer is mapped, the tag of an event is
// written last, a full buffer is written out as a region of its own and then cleared. The n-th event asks for
// n bytes.
class Recorder {
 public:
  explicit Recorder(RawControl& control, int fd) : control_(control), fd_(fd) {
    RawImage image{};
    image.pid = 12;
    write(region_of(image));
    const std::uint64_t offset = control.next_offset.fetch_add(kRawChunkBytes);
    buffer_ = static_cast<unsigned char*>(
        ::mmap(nullptr, kRawChunkBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset)));
    REQUIRE(buffer_ != MAP_FAILED);
    header().file_offset = offset;
    begin_chunk();
  }
  ~Recorder() { ::munmap(buffer_, kRawChunkBytes); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void record() {
    ++events_;
    const std::size_t before = made_.bytes.size();
    made_.add(kRawMalloc, events_, events_ << 12, events_);
    unsigned char* const tag = buffer_ + kRawEventsOffset + before;
    std::memcpy(tag + 1, made_.bytes.data() + before + 1, made_.bytes.size() - before - 1);
    __atomic_store_n(tag, static_cast<unsigned char>(made_.bytes[before]), __ATOMIC_RELEASE);
  }

  // The buffer becomes a region, and the thread's next event is in the next chunk.
  void write_out() {
    write({reinterpret_cast<const char*>(buffer_), kRawChunkBytes});
    std::memset(buffer_ + kRawEventsOffset, 0, made_.bytes.size());
    begin_chunk();
    record();
  }

  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  RawChunk& header() { return *reinterpret_cast<RawChunk*>(buffer_); }
  void begin_chunk() {
    header().length = kRawChunkBytes;
    header().sequence = sequence_++;
    header().start_time = events_;
    __atomic_store_n(&header().magic, kRawChunkMagic, __ATOMIC_RELEASE);
    made_ = RawEvents{};
    made_.time = events_;
  }
  void write(const std::string& bytes) {
    const std::uint64_t offset = control_.next_offset.fetch_add(bytes.size());
    if (::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size()))
      std::abort();
  }

  RawControl& control_;
  int fd_;
  unsigned char* buffer_ = nullptr;
  RawEvents made_;
  std::uint64_t events_ = 0, sequence_ = 0;
};

TEST_CASE("a recording is whole whenever it is read, up to the event that is being written") {
  std::mt19937 random(5);
  for (int time = 0; time < 60; ++time) {
    const Folder folder;
    const RawRecording raw = RawRecording::create(folder.path() / "t.raw", {.budget_bytes = 1 << 30});
    raw.control().counter = RawCounter::kClockNs;
    Recorder recorder(raw.control(), raw.fd());
    for (unsigned events = 1 + random() % 3000; events > 0; --events) recorder.record();
    const std::uint64_t before = recorder.events();
    std::thread thread([&] { recorder.write_out(); });
    const std::vector<RawProcess> processes = processes_of(raw, Writers::kMayBeAtWork);
    REQUIRE(processes.size() == 1);
    // Whatever the thread does now.
    thread.join();
    close_process(raw, processes[0], 1, End::kSignal, folder.path() / "t.hmtrace", nullptr);
    const TraceEvents trace = read_trace(folder.path() / "t.hmtrace");
    REQUIRE(trace.error.empty());
    CHECK(trace.header.lost_events == 0);
    const std::vector<Event>& events = trace.of_thread.at(0);
    REQUIRE(events.size() >= before);
    REQUIRE(events.size() <= before + 1);
    for (std::size_t at = 0; at < events.size(); ++at) REQUIRE(events[at].size == at + 1);
  }
}

TEST_CASE("raw recordings of the versions known are read, of others refused") {
  const Folder folder;
  const std::filesystem::path path = folder.path() / "t.raw";
  {
    const RawRecording raw = RawRecording::create(path, {.budget_bytes = 1 << 30});
    raw.control().counter = RawCounter::kClockNs;
    Recorder recorder(raw.control(), raw.fd());
    recorder.record();
  }
  const auto opened_as = [&](std::uint32_t version) {
    RawRecording::open(path).control().version = version;
    const RawRecording raw = RawRecording::open(path);
    return processes_of(raw).size();
  };
  CHECK(opened_as(1) == 1);
  CHECK(opened_as(kRawVersion) == 1);
  CHECK_THROWS_WITH(opened_as(kRawVersion + 1), Catch::Contains("reads versions 1 to 2"));
}

}  // namespace
}  // namespace heapmark::trace
