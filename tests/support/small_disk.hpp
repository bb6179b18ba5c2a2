#pragma once

#include <filesystem>
#include <string>

#include <sched.h>
#include <sys/mount.h>

namespace nephron::host {

/// A disk of a few kilobytes on a folder, for this process and those that it starts. Where it may not be made (without
/// root), there is none.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, int kilobytes) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    // In a mount namespace of its own, so that nobody else sees it, and it goes with the process.
    there_ = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             ::mount("none", folder_.c_str(), "tmpfs", 0, size(kilobytes).c_str()) == 0;
  }
  ~SmallDisk() {
    if (there_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool there() const noexcept { return there_; }
  bool grow(int kilobytes) const {
    return ::mount("none", folder_.c_str(), "tmpfs", MS_REMOUNT, size(kilobytes).c_str()) == 0;
  }

 private:
  static std::string size(int kilobytes) { return "size=" + std::to_string(kilobytes) + "k"; }

  std::filesystem::path folder_;
  bool there_ = false;
};

}  // namespace nephron::host
