#pragma once

#include <cstdint>

#include <host/feed/colour_bodies.hpp>

namespace nephron::host {

// The bodies of colour_bodies.hpp over RGB pixels; `in` and `out` may be the same. With AVX2 eight pixels at once: the
// bytes are the bodies'.
void run_row(const LookupBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels);
void run_row(const SumBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels);
void run_row(const ProductBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels);
void run_row(const CubeBody& body, const std::uint8_t* in, std::uint8_t* out, std::int64_t pixels);

}  // namespace nephron::host
