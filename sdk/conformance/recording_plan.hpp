#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nephron/augmentation.hpp>

namespace nephron::conformance {

/// Writes down what an augmentation asks for, and refuses what the host could not carry out.
class RecordingPlan final : public Plan {
 public:
  explicit RecordingPlan(Size size) : size_(size) {}
  ~RecordingPlan() override;
  void affine(const Affine& forward, Border border) override;
  void flip(bool horizontal, bool vertical) override;
  void displacement(const Image& grid, int spacing, Border border) override;
  void lookup(const std::array<std::array<std::uint8_t, 256>, 3>& table) override;
  void colour_matrix(const std::array<float, 12>& matrix) override;
  void density_matrix(const std::array<float, 12>& matrix, const std::array<float, 3>& white) override;
  void colour_cube(int side, const std::vector<float>& values) override;
  void filter(const Image& kernel) override;
  void filter(const std::vector<float>& horizontal, const std::vector<float>& vertical) override;
  void pixels(std::function<void(const SampleView& sample)> change) override;

  /// Everything that was asked for, as bytes; `pixels` counts as its place alone.
  const std::string& bytes() const noexcept { return bytes_; }
  const std::vector<std::function<void(const SampleView&)>>& changes() const noexcept { return changes_; }

 private:
  void write(const void* data, std::size_t size);
  void begin(char operation, Border border = Border::constant);
  void floats(const char* what, const std::vector<float>& values);

  Size size_;
  std::string bytes_;
  std::vector<std::function<void(const SampleView&)>> changes_;
};

}  // namespace nephron::conformance
