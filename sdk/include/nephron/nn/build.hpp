#pragma once

// Included by every header of nn/, whose classes may gain members with any version. It turns on a row of the plugin's
// fingerprint: such a plugin loads only in the version of nephron that it was built with.
#include <cstdint>

#include <nephron/version.hpp>

#define NEPHRON_NN_TEXT_(a, b, c) #a "." #b "." #c
#define NEPHRON_NN_TEXT(a, b, c) NEPHRON_NN_TEXT_(a, b, c)
#define NEPHRON_NN_BUILD NEPHRON_NN_TEXT(NEPHRON_SDK_MAJOR, NEPHRON_SDK_MINOR, NEPHRON_SDK_PATCH)

namespace nephron::detail {

/// Section "nephron_nn" of a plugin: one a source that includes a header of nn/.
struct alignas(32) NnRecord {
  std::uint64_t magic = 0x314e4f524850454eULL;  ///< record_magic of <nephron/plugin.hpp>
  std::uint32_t size = sizeof(NnRecord);
  std::uint32_t reserved = 0;
  char version[16] = {};  ///< "0.2.0"
};

}  // namespace nephron::detail

namespace {
[[gnu::used, gnu::retain, gnu::section("nephron_nn")]] constinit const ::nephron::detail::NnRecord nephron_nn_record{
    .version = NEPHRON_NN_BUILD};
}  // namespace
