#include <host/sweep/axis.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <nephron/rng.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t most_count = 10000;
constexpr double most_integer = 9007199254740992.0;  // 2^53: a double holds each up to it

const std::vector<std::string>& kinds() {
  static const std::vector<std::string> names{"choice", "uniform", "log", "int", "log_int"};
  return names;
}

Axis::Kind kind_of(const std::string& name) {
  return static_cast<Axis::Kind>(std::find(kinds().begin(), kinds().end(), name) - kinds().begin());
}

bool is_kind(const std::string& name) { return std::find(kinds().begin(), kinds().end(), name) != kinds().end(); }

bool is_number(const Value& v) { return v.is(Value::Type::integer) || v.is(Value::Type::real); }

/// Six digits: people read and repeat it.
double rounded(double value, double low, double high) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::clamp(std::strtod(text, nullptr), low, high);
}

class AxisReader {
 public:
  explicit AxisReader(Diagnostics& faults) : faults_(faults) {}

  void table(const Value& table, const KeyPath& above) {
    for (const Value::Member& m : table.table()) {
      KeyPath key = above;
      key.parts.push_back({m.key, m.source});
      if (m.value.is(Value::Type::array)) choice(m.value, m.value, std::move(key));
      else if (!m.value.is(Value::Type::table)) single(m.value, key);
      else if (is_distribution(m.value)) distribution(m.value, std::move(key));
      else if (m.value.table().empty()) fault(m.value, "\"" + key.text() + "\" has no values", how_written);
      else if (m.value.find("type") != nullptr) single(m.value, key);
      else this->table(m.value, key);
    }
  }

  std::vector<Axis> axes;

 private:
  static constexpr const char* how_written =
      "write a list of values, or one of { uniform = [LOW, HIGH] }, { log = [LOW, HIGH] }, { int = [LOW, HIGH] }, "
      "{ log_int = [LOW, HIGH] }";

  void fault(const Value& at, std::string message, std::string hint = {}) {
    faults_.push_back({at.source, std::move(message), std::move(hint)});
  }

  void single(const Value& value, const KeyPath& key) {
    fault(value, "\"" + key.text() + "\" has a single value, which varies nothing",
          "put it into the experiment, or write a list: [" + value.str() + ", ...]");
  }

  /// The distribution whose letters these are, in another order: a slip of the pen, and no key of the experiment.
  static std::string meant_by(std::string key) {
    std::sort(key.begin(), key.end());
    for (std::string name : kinds()) {
      const std::string whole = name;
      std::sort(name.begin(), name.end());
      if (name == key) return whole;
    }
    return {};
  }

  static bool is_distribution(const Value& table) {
    const auto& members = table.table();
    if (std::any_of(members.begin(), members.end(), [](const auto& m) { return is_kind(m.key); })) return true;
    return members.size() == 1 && members[0].value.is(Value::Type::array) && !meant_by(members[0].key).empty();
  }

  void distribution(const Value& table, KeyPath key) {
    const Value::Member* named = nullptr;
    std::int64_t count = 0;
    for (const Value::Member& m : table.table()) {
      if (m.key == "count") {
        if (!m.value.is(Value::Type::integer) || m.value.integer() < 2 || m.value.integer() > most_count)
          return fault(m.value, "\"count\" must be an integer from 2 to " + std::to_string(most_count));
        count = m.value.integer();
      } else if (!is_kind(m.key)) {
        const std::string meant = nearest(m.key, kinds());
        faults_.push_back({m.source, "\"" + m.key + "\" is no distribution",
                           meant.empty() ? how_written : "did you mean \"" + meant + "\"?"});
        return;
      } else if (named != nullptr) {
        faults_.push_back({m.source, "\"" + key.text() + "\" has two distributions", how_written});
        return;
      } else {
        named = &m;
      }
    }
    const Axis::Kind kind = kind_of(named->key);
    if (kind == Axis::Kind::choice) return choice(named->value, table, std::move(key));
    range({std::move(key), kind, 0, 0, count, {}, table.source}, named->value);
  }

  void range(Axis axis, const Value& bounds) {
    const std::string name = kinds()[static_cast<std::size_t>(axis.kind)];
    const bool whole = axis.kind == Axis::Kind::integer || axis.kind == Axis::Kind::log_integer;
    const auto good = [&](const Value& v) {
      if (whole) return v.is(Value::Type::integer) && std::abs(v.number()) <= most_integer;
      return is_number(v) && std::isfinite(v.number());
    };
    if (!bounds.is(Value::Type::array) || bounds.array().size() != 2 || !good(bounds.array()[0]) ||
        !good(bounds.array()[1]))
      return fault(bounds,
                   "\"" + name + "\" must be " + (whole ? "two integers" : "two finite numbers") + ": [LOW, HIGH]");
    axis.low = bounds.array()[0].number(), axis.high = bounds.array()[1].number();
    if (axis.low >= axis.high)
      return fault(bounds, "\"" + name + "\" runs from " + bounds.array()[0].str() + " to " + bounds.array()[1].str() +
                               ": the second must be greater");
    if (axis.logarithmic() && axis.low <= 0)
      return fault(bounds, "\"" + name + "\" begins at " + bounds.array()[0].str() + ": a logarithm needs more than 0");
    for (std::int64_t i = 1; i < axis.count; ++i)
      if (point(axis, i) == point(axis, i - 1))
        return fault(bounds,
                     "there are less than " + std::to_string(axis.count) + " values between " +
                         bounds.array()[0].str() + " and " + bounds.array()[1].str(),
                     "let \"count\" be smaller");
    axes.push_back(std::move(axis));
  }

  void choice(const Value& values, const Value& at, KeyPath key) {
    if (!values.is(Value::Type::array) || values.array().empty())
      return fault(values, "\"" + key.text() + "\" has no values", how_written);
    const Value::Array& all = values.array();
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (all[i] == all[k])
          return fault(all[i], "\"" + key.text() + "\" has the value " + all[i].str() + " twice",
                       "leave one of them out");
    axes.push_back({std::move(key), Axis::Kind::choice, 0, 0, 0, all, at.source});
  }

  Diagnostics& faults_;
};

/// At a share of the way, 0 to 1, of which the ends count whole.
Value value_at(const Axis& axis, double share) {
  const double low = axis.logarithmic() ? std::log(axis.low) : axis.low;
  const double high = axis.logarithmic() ? std::log(axis.high) : axis.high;
  const double at = low + share * (high - low);
  const double value = axis.logarithmic() ? std::exp(at) : at;
  if (axis.kind == Axis::Kind::integer || axis.kind == Axis::Kind::log_integer)
    return Value(static_cast<std::int64_t>(std::clamp(std::round(value), axis.low, axis.high)));
  return Value(rounded(value, axis.low, axis.high));
}

/// Integers as likely as the room that each has around it on the axis.
Value draw_log_integer(const Axis& axis, Rng& rng) {
  const double at = rng.uniform(std::log(axis.low - 0.5), std::log(axis.high + 0.5));
  return Value(static_cast<std::int64_t>(std::clamp(std::round(std::exp(at)), axis.low, axis.high)));
}

}  // namespace

std::string KeyPath::text() const {
  std::string out;
  for (const Part& part : parts) {
    const bool quoted = part.name.find('.') != std::string::npos;
    out += (out.empty() ? "" : ".") + (quoted ? "\"" + part.name + "\"" : part.name);
  }
  return out;
}

std::vector<Axis> read_axes(const Value& vary, Diagnostics& faults) {
  if (!vary.is(Value::Type::table)) {
    faults.push_back({vary.source, "[sweep.vary] must be a table of keys of the experiment", ""});
    return {};
  }
  AxisReader reader(faults);
  reader.table(vary, {});
  return std::move(reader.axes);
}

namespace {

Value drawn(const Axis& axis, Rng rng) {
  if (const std::int64_t size = size_of(axis); size > 0) return point(axis, rng.integer(0, size - 1));
  if (axis.kind == Axis::Kind::log_integer) return draw_log_integer(axis, rng);
  if (axis.kind == Axis::Kind::integer)
    return Value(rng.integer(static_cast<std::int64_t>(axis.low), static_cast<std::int64_t>(axis.high)));
  return value_at(axis, rng.uniform());
}

/// Of a value that was written nowhere: where its axis was.
Value with_place(Value value, const Axis& axis) {
  if (value.source.file == nullptr) value.source = axis.source;
  return value;
}

}  // namespace

Value draw(const Axis& axis, std::uint64_t seed, std::uint64_t trial) {
  return with_place(drawn(axis, Rng(seed, "sweep." + axis.key.text(), 0, trial)), axis);
}

std::int64_t size_of(const Axis& axis) {
  return axis.kind == Axis::Kind::choice ? static_cast<std::int64_t>(axis.choices.size()) : axis.count;
}

Value point(const Axis& axis, std::int64_t place) {
  if (axis.kind == Axis::Kind::choice) return axis.choices.at(static_cast<std::size_t>(place));
  return with_place(value_at(axis, static_cast<double>(place) / static_cast<double>(axis.count - 1)), axis);
}

}  // namespace nephron::host
