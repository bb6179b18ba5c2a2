#pragma once

#include <string>

#include <host/data/prepared.hpp>
#include <host/tiling/tile_source.hpp>

namespace nephron::host {

/// The pixels of a prepared slide, which outlives it.
class PreparedSource final : public TileSource {
 public:
  explicit PreparedSource(const PreparedSlide& slide) : slide_(slide) {}
  Size size() const noexcept override { return slide_.size(); }
  void read(const Region& region, const ImageView& out) const override { slide_.read(region, out, {}); }
  std::string digest() const override { return slide_.digests().picture; }

 private:
  const PreparedSlide& slide_;
};

}  // namespace nephron::host
