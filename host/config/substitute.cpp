#include <host/config/substitute.hpp>

#include <algorithm>
#include <cstdlib>

namespace nephron::host {

namespace {

bool is_name(const std::string& name) {
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// What stands between ${ and }; adds a fault and returns false when that gives nothing.
bool expand(const std::string& inside, std::string& out, const Value& at, Diagnostics& faults) {
  const std::size_t end = inside.find(':');
  const std::string name = inside.substr(0, end), rest = end == std::string::npos ? "" : inside.substr(end);
  const bool has_default = rest.starts_with(":-"), has_reason = rest.starts_with(":?");
  if (!is_name(name) || (!rest.empty() && !has_default && !has_reason)) {
    faults.push_back({at.source, "\"${" + inside + "}\" names no environment variable",
                      "write ${NAME}, ${NAME:-default} or ${NAME:?what to set it to}; $${ stands for ${ itself"});
    return false;
  }
  const char* value = std::getenv(name.c_str());
  if (value != nullptr && (*value != '\0' || rest.empty())) return out += value, true;
  if (has_default) return out += rest.substr(2), true;
  faults.push_back({at.source, "environment variable " + name + " is not set",
                    has_reason ? rest.substr(2) : "set it, or give a default: ${" + name + ":-default}"});
  return false;
}

bool expand_all(const std::string& text, std::string& out, const Value& at, Diagnostics& faults) {
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 3, "$${") == 0) {
      out += "${", i += 3;
    } else if (text.compare(i, 2, "${") == 0) {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) {
        faults.push_back({at.source, "\"${\" without \"}\"", "$${ stands for ${ itself"});
        return false;
      }
      if (!expand(text.substr(i + 2, end - i - 2), out, at, faults)) return false;
      i = end + 1;
    } else {
      out += text[i++];
    }
  }
  return true;
}

}  // namespace

void substitute(Value& value, Diagnostics& faults) {
  if (value.is(Value::Type::array)) {
    for (Value& v : value.array()) substitute(v, faults);
  } else if (value.is(Value::Type::table)) {
    for (Value::Member& m : value.table()) substitute(m.value, faults);
  } else if (value.is(Value::Type::string) && value.string().find("${") != std::string::npos) {
    std::string out;
    if (!expand_all(value.string(), out, value, faults)) return;
    Value changed(std::move(out));
    changed.source = value.source;
    value = std::move(changed);
  }
}

std::string escape_substitution(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) out += '$';
    out += text[i];
  }
  return out;
}

}  // namespace nephron::host
