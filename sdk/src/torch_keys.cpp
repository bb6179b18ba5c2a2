// Key functions of the boundary types that need tensors.
#include <nephron/decoder.hpp>
#include <nephron/loss.hpp>

namespace nephron {

Loss::~Loss() = default;
CouplesClasses::~CouplesClasses() = default;
Encoder::~Encoder() = default;
PublishedNames::~PublishedNames() = default;
Decoder::~Decoder() = default;
AuxiliaryMaps::~AuxiliaryMaps() = default;

void Encoder::set_output_stride(int stride) {
  throw Error("this encoder cannot be dilated to output stride " + std::to_string(stride),
              "take an encoder that can, or a decoder that works at stride 32");
}

}  // namespace nephron
