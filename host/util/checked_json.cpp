#include <host/util/checked_json.hpp>

#include <cmath>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20;

std::string kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a text";
    case Json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      return value.dump();
  }
}

std::string text_of(double v) { return Json(v).dump(); }

}  // namespace

struct JsonNode::File {
  std::string name;
  std::string hint;
  Json content;
};

JsonNode JsonNode::read(const std::filesystem::path& file, const std::string& hint) {
  std::error_code failed;  // a pipe would be waited for
  if (const auto type = std::filesystem::status(file, failed).type();
      type != std::filesystem::file_type::regular && type != std::filesystem::file_type::not_found && !failed)
    throw Error(file.string() + " is no plain file", hint);
  return parse(read_file(file, most_bytes), file.string(), hint);
}

JsonNode JsonNode::parse(const std::string& text, const std::string& name, const std::string& hint) {
  auto file = std::make_shared<File>(File{name, hint, {}});
  try {
    file->content = Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::size_t at = e.byte > 0 ? e.byte - 1 : 0;
    throw Error(name + (text.empty() ? " is empty"
                                     : " is damaged: what stands at byte " + std::to_string(at) + " of " +
                                           std::to_string(text.size()) + " is not JSON"),
                hint);
  } catch (const Json::exception&) {  // a number that no double holds
    throw Error(name + " is damaged: it holds a number that is out of range", hint);
  }
  const Json& content = file->content;
  return {std::move(file), content, {}};
}

JsonNode JsonNode::below(const Json& value, const std::string& key) const {
  return {file_, value, place_.empty() || key.front() == '[' ? place_ + key : place_ + "." + key};
}

std::optional<JsonNode> JsonNode::find(const std::string& key) const {
  if (!value_->is_object()) expected("an object");
  const auto it = value_->find(key);
  if (it == value_->end()) return std::nullopt;
  return below(*it, key.empty() ? "\"\"" : key);
}

JsonNode JsonNode::at(const std::string& key) const {
  if (std::optional<JsonNode> found = find(key)) return *std::move(found);
  refuse("has no \"" + key + "\"");
}

std::vector<JsonNode> JsonNode::items() const {
  if (!value_->is_array()) expected("an array");
  std::vector<JsonNode> out;
  out.reserve(value_->size());
  for (const Json& item : *value_) out.push_back(below(item, "[" + std::to_string(out.size()) + "]"));
  return out;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  if (!value_->is_object()) expected("an object");
  std::vector<std::pair<std::string, JsonNode>> out;
  for (const auto& [key, value] : value_->items()) out.emplace_back(key, below(value, key.empty() ? "\"\"" : key));
  return out;
}

std::string JsonNode::text() const {
  if (!value_->is_string()) expected("a text");
  return value_->get<std::string>();
}

bool JsonNode::boolean() const {
  if (!value_->is_boolean()) expected("true or false");
  return value_->get<bool>();
}

double JsonNode::number() const {
  if (!value_->is_number()) expected("a number");
  const double v = value_->get<double>();
  if (!std::isfinite(v)) expected("a finite number");
  return v;
}

double JsonNode::number(double least, double most) const {
  const double v = number();
  if (v < least || v > most) expected("a number from " + text_of(least) + " to " + text_of(most));
  return v;
}

std::int64_t JsonNode::integer(std::int64_t least, std::int64_t most) const {
  const auto refused = [&] {
    expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  };
  if (!value_->is_number_integer()) refused();
  if (value_->is_number_unsigned() && value_->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) refused();
  const auto v = value_->get<std::int64_t>();
  if (v < least || v > most) refused();
  return v;
}

std::vector<std::string> JsonNode::texts() const {
  std::vector<std::string> out;
  for (const JsonNode& item : items()) out.push_back(item.text());
  return out;
}

std::vector<double> JsonNode::numbers() const {
  std::vector<double> out;
  for (const JsonNode& item : items()) out.push_back(item.number());
  return out;
}

void JsonNode::refuse(const std::string& what) const {
  throw Error(file_->name + ": " + (place_.empty() ? "the file" : place_) + " " + what, file_->hint);
}

void JsonNode::expected(const std::string& what) const {
  refuse("is " + kind_of(*value_) + "; " + what + " was expected");
}

}  // namespace nephron::host
