#pragma once

#include <string>
#include <vector>

#include <conformance/conformance.hpp>

// What each kind adds to the checks of every component. A new kind adds a file, a line here and one in conformance.cpp.
namespace nephron::conformance {

std::vector<Check> any_checks();
std::vector<Check> reader_checks();
std::vector<Check> dataset_checks();
std::vector<Check> sampler_checks();
std::vector<Check> augmentation_checks();
std::vector<Check> batch_augmentation_checks();
std::vector<Check> encoder_checks();
std::vector<Check> decoder_checks();
std::vector<Check> loss_checks();
std::vector<Check> metric_checks();

// What trace_of() gives for these kinds.
std::string sampler_trace(const Subject& s);
std::string augmentation_trace(const Subject& s);
std::string batch_augmentation_trace(const Subject& s);
std::string encoder_trace(const Subject& s);
std::string decoder_trace(const Subject& s);

}  // namespace nephron::conformance
