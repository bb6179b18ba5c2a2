#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nephron::host {

/// A place in a JSON file that this program wrote and that anybody may have changed since. Every reading is checked;
/// what is not as expected throws Error "FILE: pictures.a.dice is a text; a number was expected", with the hint that
/// the file was opened with. Cheap to copy; keeps the file's content alive.
class JsonNode {
 public:
  /// `hint`: what a person does about a damaged file. Throws Error for what is no file, no JSON or over 256 MiB.
  static JsonNode read(const std::filesystem::path& file, const std::string& hint = {});
  /// `name`: what errors call the text.
  static JsonNode parse(const std::string& text, const std::string& name, const std::string& hint = {});

  JsonNode at(const std::string& key) const;
  std::optional<JsonNode> find(const std::string& key) const;     ///< nothing when the object has no such key
  std::vector<JsonNode> items() const;                            ///< of an array
  std::vector<std::pair<std::string, JsonNode>> members() const;  ///< of an object, in the file's order

  std::string text() const;
  bool boolean() const;
  double number() const;  ///< finite
  double number(double least, double most) const;
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  std::vector<std::string> texts() const;
  std::vector<double> numbers() const;

  /// Throws Error "FILE: PLACE " + `what`.
  [[noreturn]] void refuse(const std::string& what) const;
  const nlohmann::ordered_json& raw() const noexcept { return *value_; }

 private:
  struct File;
  JsonNode(std::shared_ptr<const File> file, const nlohmann::ordered_json& value, std::string place)
      : file_(std::move(file)), value_(&value), place_(std::move(place)) {}
  [[noreturn]] void expected(const std::string& what) const;
  JsonNode below(const nlohmann::ordered_json& value, const std::string& key) const;

  std::shared_ptr<const File> file_;
  const nlohmann::ordered_json* value_;
  std::string place_;
};

}  // namespace nephron::host
