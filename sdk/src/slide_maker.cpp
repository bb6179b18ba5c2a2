#include <nephron/slide_maker.hpp>

namespace nephron {

SlideMaker::~SlideMaker() = default;

}  // namespace nephron
