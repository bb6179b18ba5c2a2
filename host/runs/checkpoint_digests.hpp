#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// Of the files of a checkpoint, in its folder, as the program sha256sum writes and checks it.
constexpr const char* checkpoint_digests_name = "checkpoint.sha256";

/// Notes the SHA-256 of each .safetensors file of `folder`, which is complete by then.
void write_checkpoint_digests(const std::filesystem::path& folder);

/// Throws Error where `file` of a checkpoint is not what training wrote. Checkpoints of earlier versions, and other
/// folders, say nothing of their files: those pass, and are not read.
void require_as_written(const std::filesystem::path& file);
/// The same where the file's SHA-256 is known already.
void require_as_written(const std::filesystem::path& file, const std::string& sha256);

}  // namespace nephron::host
