#pragma once  // gloo_names/README.md

namespace gloo::transport {
class Device;
class UnboundBuffer;
}  // namespace gloo::transport
