#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include <host/feed/colour_bodies.hpp>
#include <host/feed/plan.hpp>

namespace nephron::host {

/// Neighbouring colour steps, carried out in one pass over the picture: row by row, while the row is in the cache.
/// Keeps its tables for the next program. The steps must live until then.
class ColourProgram {
 public:
  void clear() noexcept;
  void add(const LookupStep& step);
  void add(const ColourStep& step);
  void add(const DensityStep& step);
  void add(const CubeStep& step);
  using Body = std::variant<LookupBody, SumBody, ProductBody, CubeBody>;
  /// In their order; what they point to lives until the next clear().
  const std::vector<Body>& bodies() const noexcept { return bodies_; }
  static constexpr std::size_t shares = 3 * 256 * 4;  ///< floats of a sum's or product's table
  /// RGB bytes; `in` and `out` may be the same.
  void run(const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) const;

 private:
  struct Tables {
    std::array<float, ColourProgram::shares> shares;
    std::array<CubeCell, 256> cells;
  };
  Tables& tables();

  std::vector<Body> bodies_;
  std::vector<std::unique_ptr<Tables>> tables_;
  std::size_t tables_used_ = 0;
};

}  // namespace nephron::host
