#include <host/util/value_json.hpp>

#include <nlohmann/json.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

Json as_json(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return value.boolean();
    case Value::Type::integer:
      return value.integer();
    case Value::Type::real:
      return value.number();
    case Value::Type::string:
      return value.string();
    case Value::Type::array: {
      Json out = Json::array();
      for (const Value& v : value.array()) out.push_back(as_json(v));
      return out;
    }
    case Value::Type::table: {
      Json out = Json::object();
      for (const Value::Member& m : value.table()) out[m.key] = as_json(m.value);
      return out;
    }
  }
  return nullptr;
}

}  // namespace nephron::host
