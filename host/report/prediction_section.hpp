#pragma once

#include <filesystem>
#include <string>

#include <host/predict/prediction_record.hpp>
#include <host/report/report.hpp>

namespace nephron::host {

/// A table of Dice a picture, then the pictures themselves with outlines and heat maps.
std::string prediction_section(const ReportRequest& request, const std::filesystem::path& folder,
                               const PredictionRecord& record);

}  // namespace nephron::host
