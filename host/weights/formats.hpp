#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <host/weights/tensors.hpp>

namespace nephron::host {

// One function a file format; read_tensors() picks. Their errors do not name the file, read_tensors() adds it.

TensorMap read_safetensors(const std::filesystem::path& file, std::map<std::string, std::string>* metadata);
TensorMap read_zip_pickle(const std::filesystem::path& file);
TensorMap read_legacy_pickle(const std::filesystem::path& file);

}  // namespace nephron::host
