#include <host/data/label_source.hpp>

#include <utility>

namespace nephron::host {

LabelSource source_of(std::shared_ptr<const LabelPainter> painter) {
  LabelSource source;
  source.ignores = painter->ignores();
  for (int c = 0; c < painter->classes(); ++c)
    if ((painter->soft_classes() >> c & 1U) != 0) source.soft.push_back(c);
  source.touches = [painter](Reduction r, const Region& region) { return painter->touches(r, region); };
  source.paint = [painter](Reduction r, const Region& region, const ImageView& out) { painter->paint(r, region, out); };
  source.paint_soft = [painter = std::move(painter)](int c, Reduction r, const Region& region, const ImageView& out) {
    painter->paint_soft(c, r, region, out);
  };
  return source;
}

}  // namespace nephron::host
