// Waves of threads that live for one image each: every thread of a wave decodes its share of tiles (scratch
// rows of a few KiB and small metadata for each, freed at once) and ends; the tiles stay until the next image
// is there, and the first thread frees them.
// Idea: image decoders and thumbnailers that start threads for each picture; reports of memory that only
// grows in such programs with glibc's arenas.
// Good: resident memory flat from the second image on, about two images' tiles. Bad: one more arena or thread
// heap with every wave, or tiles that are never returned since the thread that asked for them has ended.
// Made to embarrass: arenas bound to threads, and heaps that are abandoned at a thread's end with live
// blocks.
#include "workloads/common_parameters.h"
#include "workloads/size_source.h"
#include "workloads/thread_wave.h"

namespace heapmark {
namespace {

constexpr Parameter kParameters[] = {
    {"sizes", Kind::kSizes, "256K", "", 0, 0, "of the tiles: one size, a range or a histogram file"},
    {"tiles", Kind::kCount, "32", "", 1, 1e6, "of an image"},
    {"images", Kind::kCount, "300", "", 1, 1e9, "waves of threads"},
    threads_parameter("4"),
};

constexpr Variant kVariants[] = {
    {"image-4t", kUsualPasses, "threads=4", "images=10"},
};

constexpr std::uint64_t kRowsATile = 16, kRowBytes = 4096, kNotesATile = 8;
constexpr LogUniform kNoteSizes{octave(5), octave(8)};

SizeSource sizes;

// The tiles that one thread of a wave decodes.
struct Decoder {
  Block* tiles;
  std::uint64_t count;
};

void decode(Member& member, void* work) {
  Decoder& decoder = *static_cast<Decoder*>(work);
  for (std::uint64_t tile = 0; tile < decoder.count; ++tile) {
    Block notes[kNotesATile];
    for (Block& note : notes) note = member.take(draw_size(kNoteSizes, member.random));
    decoder.tiles[tile] = member.take(sizes.draw(member.random));
    for (std::uint64_t row = 0; row < kRowsATile; ++row) {
      Block scratch = member.take(kRowBytes);
      member.give_back(scratch);
    }
    for (Block& note : notes) member.give_back(note);
  }
}

struct Tiles {
  Decoder* decoders;
  Block *decoded, *shown;  // the image that is being decoded, and the last one
  ThreadWave wave;
  std::uint32_t at_once;
  std::uint64_t tiles;
  Team* team;

  static std::uint32_t threads(Context&) { return 1; }
  static std::uint32_t threads_at_once(Context& context) { return threads_of(context); }
  static std::uint64_t units(Context& context, std::uint32_t) { return context.count("images"); }

  void set_up(Context& context, Member&, Team& own_team) {
    team = &own_team;
    sizes.set_up(context, "sizes");
    at_once = threads_of(context);
    tiles = context.count("tiles");
    decoders = static_cast<Decoder*>(context.own_memory(at_once * sizeof(Decoder)));
    decoded = static_cast<Block*>(context.own_memory(tiles * sizeof(Block)));
    shown = static_cast<Block*>(context.own_memory(tiles * sizeof(Block)));
    wave.set_up(context, at_once);
  }
  void fill(Member&) {}
  void step(Member& member, std::uint64_t) {
    for (std::uint32_t at = 0; at < at_once; ++at) {
      const std::uint64_t first = tiles * at / at_once;
      decoders[at] = {decoded + first, tiles * (at + 1) / at_once - first};
    }
    wave.run(member, decode, decoders, sizeof(Decoder));
    team->sample(member);
    free_shown(member);
    Block* const last = shown;
    shown = decoded;
    decoded = last;
  }
  void free_shown(Member& member) {
    for (std::uint64_t at = 0; at < tiles; ++at) member.give_back_if_any(shown[at]);
  }
  void finish(Member& member) { free_shown(member); }
};

constexpr Workload kTiles{
    "tiles",           "waves of threads that each decode the tiles of one image and end",
    kParameters,       kVariants,
    kSteadyMetrics,    TeamOf<Tiles>::prepare,
    TeamOf<Tiles>::run};

HEAPMARK_WORKLOAD(kTiles)

}  // namespace
}  // namespace heapmark
