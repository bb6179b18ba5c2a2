#pragma once

#include <string>

#include <nephron/slide_maker.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// A dataset component that makes slides up (SlideMaker), with the parameters for what is asked. `name`: which one;
/// empty: the only one. Throws Error that names those there are when it is none of them, or when there are several.
ComponentSpec slide_maker(const Registry& registry, const std::string& name, const SlideMaker::Request& request);

}  // namespace nephron::host
