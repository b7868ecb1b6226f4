// Paths that LD_PRELOAD can name. The loader splits LD_PRELOAD at spaces and colons and knows no escape, so a
// library whose path has one is preloaded through a symbolic link in a private folder. Decides where links
// lie, not what is preloaded. Above: cli/known.cc, the tests' children. Below: the file system.
#pragma once

#include <filesystem>
#include <string>

namespace heapmark::machine {

[[nodiscard]] bool can_be_preloaded(const std::string& path);

// $XDG_RUNTIME_DIR/heapmark-UID where that can be preloaded from, else /tmp/heapmark-UID.
[[nodiscard]] std::filesystem::path link_folder();

// `file` itself where LD_PRELOAD can name it, else a link to it in `folder`, which is made with mode 0700
// where it does not exist. A link has a name of its own for each target and stays there: a program that
// `exec` started may outlive heapmark, and the next run uses it again. Throws std::runtime_error where the
// folder belongs to another user, others can write into it, or the link cannot be made.
[[nodiscard]] std::string preloadable(const std::string& file,
                                      const std::filesystem::path& folder = link_folder());

}  // namespace heapmark::machine
