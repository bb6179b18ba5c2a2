#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/predict/member.hpp>

namespace nephron::host {

/// Of which pixels, by which weights, with which settings and on what kind of device the files of a prediction were
/// made: what one of them tells that is found alone, wherever the run lay. Equal origins are equal files, where one
/// program made them on one kind of processor.
class PredictionOrigin {
 public:
  /// `settings`: of all members (settings_text()). `device`: "cpu" or "cuda", of the process that predicts; empty: of
  /// what several processes predicted.
  PredictionOrigin(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings,
                   std::string device = "");
  /// A JSON object. `picture`: digest of its pixels at the level that the model works on; empty: of all pictures.
  std::string of(const std::string& picture) const;

 private:
  std::vector<std::string> weights_;
  std::string settings_, device_;
};

/// The origin of what is made at thresholds that a search found, a class each.
std::string origin_at(const std::string& origin, const std::vector<double>& thresholds);

/// An origin as cells of a table whose columns are origin_columns; several of a cell are joined by ";".
std::string origin_cells(const std::string& origin);
inline constexpr const char* origin_columns = "picture_sha256,weights_sha256,settings_sha256,searched_thresholds";

}  // namespace nephron::host
