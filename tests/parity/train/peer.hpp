#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include <host/weights/weights.hpp>
#include <tests/support/peers_python.hpp>

namespace nephron::host {

/// A Python script beside the tests, run in the interpreter that has the peers.
class Peer : public testing::Test {
 protected:
  void SetUp() override {
    namespace fs = std::filesystem;
    python_ = peers_python();
    if (!fs::exists(python_))
      GTEST_SKIP() << "no Python with the peers at " << python_ << ": ./nephron peers makes it, or set NEPHRON_PEERS";
    std::string name = (fs::temp_directory_path() / "nephron-parity-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  /// Runs the script, which writes a safetensors file whose path it is given; reads that file.
  TensorMap run(const std::string& script) {
    const std::filesystem::path out = folder_ / "out.safetensors";
    const std::string command =
        python_.string() + " " + NEPHRON_SOURCE_DIR "/tests/parity/train/" + script + " " + out.string();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    return read_tensors(out);
  }

 private:
  std::filesystem::path python_, folder_;
};

}  // namespace nephron::host
