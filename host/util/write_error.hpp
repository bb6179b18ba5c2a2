#pragma once

#include <filesystem>

#include <nephron/error.hpp>

namespace nephron::host {

/// What is made cannot be written: a full disk, a folder that is gone. No input is to blame, and what follows would
/// meet the same, so that long work stops there. It is told as every Error is.
class WriteError final : public Error {
 public:
  using Error::Error;
};

/// Throws "cannot write FILE: REASON" of an errno, with what to do about it.
[[noreturn]] void fail_to_write(const std::filesystem::path& file, int why);

/// The same of whatever is written into a folder.
[[noreturn]] void fail_to_write_into(const std::filesystem::path& folder, int why);

/// Makes a folder and those above it. Throws WriteError.
void make_folder(const std::filesystem::path& folder);

}  // namespace nephron::host
