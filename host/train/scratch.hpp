#pragma once

#include <filesystem>

namespace nephron::host {

/// A folder for what nobody keeps, nephron-debug-XXXXXX in the folder for temporary files. It goes with the object;
/// when the process was killed, the next Scratch of the same user removes it: a lock in it shows that its owner is
/// gone.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
  int lock_ = -1;
};

}  // namespace nephron::host
