#pragma once

#include <memory>
#include <string>
#include <vector>

#include <host/predict/member.hpp>

namespace nephron::host {

/// Of which pixels, by which weights and with which settings the files of a prediction were made: what one of them
/// tells that is found alone, wherever the run lay. Equal origins are equal files.
class PredictionOrigin {
 public:
  /// `settings`: of all members (settings_text()).
  PredictionOrigin(const std::vector<std::unique_ptr<Member>>& members, const std::string& settings);
  /// A JSON object. `picture`: digest of its pixels at the level that the model works on; empty: of all pictures.
  std::string of(const std::string& picture) const;

 private:
  std::vector<std::string> weights_;
  std::string settings_;
};

}  // namespace nephron::host
