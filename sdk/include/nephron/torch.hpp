#pragma once

// Included by every SDK header that needs tensors. It turns on the torch rows of the plugin's fingerprint: such a
// plugin loads only in a host with exactly the same LibTorch build.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <nephron/torch_record.hpp>

#ifndef NEPHRON_TORCH_BUILD
#error "compile with the CMake target nephron::torch (nephron_add_plugin links it when LibTorch is found)"
#endif
#undef NEPHRON_TORCH_ROW
#define NEPHRON_TORCH_ROW NEPHRON_TORCH_BUILD

namespace {
[[gnu::used, gnu::retain,
  gnu::section("nephron_torch")]] constinit const ::nephron::detail::TorchRecord nephron_torch_record{
    .torch = NEPHRON_TORCH_BUILD};
}  // namespace
