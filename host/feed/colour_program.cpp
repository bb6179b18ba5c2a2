#include <host/feed/colour_program.hpp>

#include <algorithm>
#include <cmath>

#include <host/feed/colour_rows.hpp>

namespace nephron::host {

namespace {

/// shares[channel of the source][its value][channel of the result] = share(result, source, value)
template <class Share>
void fill(std::array<float, 3 * 256 * 4>& shares, const Share& share) {
  float* to = shares.data();
  for (std::size_t source = 0; source < 3; ++source)
    for (int value = 0; value < 256; ++value, to += 4) {
      for (std::size_t result = 0; result < 3; ++result) to[result] = share(result, source, value);
      to[3] = 0;
    }
}

}  // namespace

ColourProgram::Tables& ColourProgram::tables() {
  if (tables_used_ == tables_.size()) tables_.push_back(std::make_unique<Tables>());
  return *tables_[tables_used_++];
}

void ColourProgram::clear() noexcept {
  bodies_.clear();
  tables_used_ = 0;
}

void ColourProgram::add(const LookupStep& step) { bodies_.emplace_back(LookupBody{step.table[0].data()}); }

void ColourProgram::add(const ColourStep& step) {
  Tables& t = tables();
  fill(t.shares, [&](std::size_t result, std::size_t source, int value) {
    const float* row = step.matrix.data() + 4 * result;
    const float share = row[source] * static_cast<float>(value);
    return source == 0 ? share + row[3] : share;
  });
  bodies_.emplace_back(SumBody{t.shares.data()});
}

void ColourProgram::add(const DensityStep& step) {
  Tables& t = tables();
  std::array<std::array<float, 256>, 3> densities;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v)
      densities[c][v] = std::log(step.white[c] / std::max(static_cast<float>(v), 0.25F));
  fill(t.shares, [&](std::size_t result, std::size_t source, int value) {
    const float* row = step.matrix.data() + 4 * result;
    const float density = row[source] * densities[source][static_cast<std::size_t>(value)];
    return source == 0 ? step.white[result] * std::exp(-density - row[3]) : std::exp(-density);
  });
  bodies_.emplace_back(ProductBody{t.shares.data()});
}

void ColourProgram::add(const CubeStep& step) {
  Tables& t = tables();
  for (int v = 0; v < 256; ++v) {
    const int steps = v * (step.side - 1), node = std::min(steps / 255, step.side - 2);
    t.cells[static_cast<std::size_t>(v)] = {node, static_cast<float>(steps - 255 * node) / 255.0F};
  }
  bodies_.emplace_back(CubeBody{step.nodes.data(), t.cells.data(), step.side});
}

void ColourProgram::run(const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels) const {
  for (const auto& any : bodies_) {
    std::visit([=](const auto& body) { run_row(body, in, out, pixels); }, any);
    in = out;
  }
}

}  // namespace nephron::host
