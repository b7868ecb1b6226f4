// Threads that ask for batches of blocks and threads that free them, with one bounded queue between them.
#pragma once

#include "workloads/bounded_queue.h"
#include "workloads/size_source.h"
#include "workloads/team.h"

namespace heapmark {

template <std::uint64_t kBlocks>
class BatchQueue {
 public:
  // prepare() only, by one thread; from the parameters "sizes" and "room" (batches).
  void set_up(Context& context) {
    sizes_.set_up(context, "sizes");
    queue_.set_up(context, context.count("room"));
  }
  void ask(Member& member) {
    Batch batch;
    for (Block& block : batch.blocks) block = member.take(sizes_.draw(member.random));
    queue_.put(batch);
  }
  void free(Member& member) {
    Batch batch = queue_.take();
    for (Block& block : batch.blocks) member.give_back(block);
  }

 private:
  struct Batch {
    Block blocks[kBlocks];
  };
  SizeSource sizes_;
  BoundedQueue<Batch> queue_;
};

}  // namespace heapmark
