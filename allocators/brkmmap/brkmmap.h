/* brkmmap: what a program may ask of it beyond malloc's own interface.
 *
 * brkmmap_stats fills *out with a consistent picture of the heap; it never allocates and may be called from
 * any thread. At any point where no other thread is inside the allocator
 *
 *     live_bytes + cached_bytes + free_bytes + metadata_bytes == mapped_bytes
 *
 * A program that may run without brkmmap declares the function weak and tests its address.
 */
#ifndef BRKMMAP_H
#define BRKMMAP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct brkmmap_stats {
  /* bytes now */
  uint64_t live_bytes;     /* usable bytes of blocks handed out and not freed */
  uint64_t cached_bytes;   /* free, in thread caches, on the shelf and inside slabs, ready to be handed out */
  uint64_t free_bytes;     /* in free spans of the page heap and in kept mappings; their addresses are held */
  uint64_t metadata_bytes; /* the allocator's own tables */
  uint64_t mapped_bytes;   /* addresses held from the kernel: brk heap + segments + large mappings */
  uint64_t heap_bytes;     /* of these, in the brk heap */
  /* events since the process began; each counts calls to the kernel that succeeded */
  uint64_t brk_grows, brk_grow_bytes; /* break raised */
  uint64_t trims, trim_bytes;         /* break lowered */
  uint64_t purges, purge_bytes;       /* madvise: pages given back, addresses kept */
  uint64_t releases, release_bytes;   /* munmap: addresses given back too */
  uint64_t mmaps, mmap_bytes;         /* mmap calls */
  uint64_t mremaps;                   /* mremap calls */
  uint64_t failed_requests;           /* requests answered with ENOMEM */
};

void brkmmap_stats(struct brkmmap_stats* out);

#ifdef __cplusplus
}
#endif
#endif
