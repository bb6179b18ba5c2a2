#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <host/predict/member.hpp>
#include <host/predict/output_folder.hpp>
#include <host/predict/picture_file.hpp>
#include <host/predict/predict.hpp>

namespace nephron::host {

/// As predict.json names places; empty stays empty.
std::filesystem::path absolute_place(const std::filesystem::path& path);

/// Writes predict.json: what is predicted, and how. `save`: what is written of all pictures. `settings`: of all members
/// (settings_text()).
void write_predict_facts(const OutputFolder& output, const PredictRequest& request,
                         const std::vector<PictureFile>& pictures, const std::vector<std::unique_ptr<Member>>& members,
                         const std::vector<std::string>& save, const std::string& settings);

}  // namespace nephron::host
