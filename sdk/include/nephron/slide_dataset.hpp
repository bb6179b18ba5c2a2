#pragma once

#include <string>

#include <nephron/augmentation.hpp>
#include <nephron/export.hpp>

namespace nephron {

/// Name of the dataset that the sample's slide is of, for slides of several may have one id; empty where it is of none,
/// as a picture that is named by its file.
NEPHRON_API std::string slide_dataset(const SampleInfo& sample);
/// For hosts and tests.
NEPHRON_API void set_dataset(SampleInfo& sample, std::string dataset);

}  // namespace nephron
