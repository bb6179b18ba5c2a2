#pragma once

#include <string>

namespace nephron::host {

/// A text as a shell takes it for one word: commands that are printed are copied. Of controls, bash and zsh.
std::string shell_word(const std::string& text);

}  // namespace nephron::host
