#include <nephron/mask_files.hpp>

namespace nephron {

MaskFiles::~MaskFiles() = default;

}  // namespace nephron
