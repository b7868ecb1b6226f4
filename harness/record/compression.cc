// See compression.h.
#include "harness/record/compression.h"

#include <zstd.h>

#include <memory>
#include <stdexcept>

#include "harness/plan/usage_error.h"

namespace heapmark::record {
namespace {

constexpr std::string_view kMagic = "\x28\xB5\x2F\xFD";  // RFC 8878, 3.1.1: 0xFD2FB528, little-endian

template <auto kFree>
struct Freed {
  void operator()(auto* context) const { kFree(context); }
};

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) != 0)
    throw std::runtime_error(std::string("compressing: ") + ZSTD_getErrorName(result));
  return result;
}

}  // namespace

bool names_compressed(const std::filesystem::path& path) {
  return path.extension() == ".zst";
}

bool is_compressed(std::string_view bytes) {
  return bytes.starts_with(kMagic);
}

std::string compress(std::string_view text, int level) {
  const std::unique_ptr<ZSTD_CCtx, Freed<ZSTD_freeCCtx>> context(ZSTD_createCCtx());
  if (context == nullptr) throw std::runtime_error("compressing: out of memory");
  checked(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1));
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  bytes.resize(checked(ZSTD_compress2(context.get(), bytes.data(), bytes.size(), text.data(), text.size())));
  return bytes;
}

std::string decompress(std::string_view bytes, const std::filesystem::path& path) {
  const std::unique_ptr<ZSTD_DCtx, Freed<ZSTD_freeDCtx>> context(ZSTD_createDCtx());
  if (context == nullptr) throw std::runtime_error("decompressing " + path.string() + ": out of memory");
  std::string text, piece(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t left = 1;  // 0: a frame ended here
  while (true) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    const std::size_t before = in.pos;
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0)
      throw UsageError(path.string() + " is damaged: zstd says \"" + ZSTD_getErrorName(left) +
                       "\"; take it from its source again");
    text.append(piece, 0, out.pos);
    if (in.pos == in.size && (left == 0 || (out.pos < out.size && in.pos == before))) break;
  }
  if (left != 0)
    throw UsageError(path.string() +
                     " ends too early: the compressed file was cut off; take it from its source again");
  return text;
}

}  // namespace heapmark::record
