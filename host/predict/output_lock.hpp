#pragma once

#include <filesystem>

#include <host/predict/output_folder.hpp>
#include <host/runs/folder_lock.hpp>

namespace nephron::host {

/// Holds a prediction's or a validation's folder while it is written: one process at a time, on one machine or on disks
/// that know locks. Ends with the process, however that ends.
class OutputLock {
 public:
  /// Makes the folder where it is missing. `thing`: what is written there. Throws Error that says who holds it.
  explicit OutputLock(const std::filesystem::path& folder, const std::string& thing = "prediction");

 private:
  FolderLock lock_;
};

/// Removes what processes that are gone left half-written of files in `folder` whose names are `written`, a regular
/// expression. How many there were.
int remove_half_written(const std::filesystem::path& folder, const std::string& written);

/// Removes what processes that are gone left half-written in a prediction's folder: regular files that
/// write_file_atomically() and require_writable() name as these are. The folder's lock is held. How many there were.
int remove_leftovers(const OutputFolder& output);

}  // namespace nephron::host
