#include "mask_coding.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <unordered_map>

#include <nephron/ignored.hpp>
#include <nephron/label_pixels.hpp>
#include <nephron/parameter_error.hpp>

namespace image_folder {

namespace {

using nephron::Value;

const char* example(MaskCoding::By by) {
  return by == MaskCoding::By::values ? "values = { CLASS = 1, OTHER = [2, 3] }"
                                      : "colours = { CLASS = [255, 0, 0], OTHER = [[0, 0, 255], [0, 255, 0]] }";
}

[[noreturn]] void misshapen(const Value& v, MaskCoding::By by) {
  throw nephron::Error("a code of the mask reads " + v.str() + "; expected " + example(by));
}

int number(const Value& v, MaskCoding::By by) {
  const std::int64_t most = by == MaskCoding::By::values ? 65535 : 255;
  if (!v.is(Value::Type::integer) || v.integer() < 0 || v.integer() > most) misshapen(v, by);
  return static_cast<int>(v.integer());
}

std::vector<int> colour(const Value& v) {
  constexpr auto by = MaskCoding::By::colours;
  if (!v.is(Value::Type::array) || v.array().size() != 3) misshapen(v, by);
  return {number(v.array()[0], by), number(v.array()[1], by), number(v.array()[2], by)};
}

using Pixel = std::vector<int>;

Pixel pixel_at(const cv::Mat& m, int x, int y) {
  Pixel out;
  for (int c = 0; c < m.channels(); ++c) {
    const int at = x * m.channels() + c;
    out.push_back(m.depth() == CV_16U ? m.ptr<std::uint16_t>(y)[at] : m.ptr<std::uint8_t>(y)[at]);
  }
  return out;
}

std::string text(const Pixel& p) {
  std::string out;
  for (const int v : p) out += (out.empty() ? "" : ", ") + std::to_string(v);
  return p.size() == 1 ? "value " + out : "colour (" + out + ")";
}

constexpr std::uint64_t ignored_bit = std::uint64_t{1} << 63;

/// Says the bits of a pixel; nothing for one that has no class and is not background.
std::optional<std::uint64_t> bits_of(const Pixel& p, const MaskCoding& coding,
                                     const std::vector<std::string>& classes) {
  const auto bit = [&](const std::string& name) {
    if (nephron::is_ignored(name, coding.ignored)) return ignored_bit;
    return std::uint64_t{1} << (std::find(classes.begin(), classes.end(), name) - classes.begin());
  };
  const bool background = std::all_of(p.begin(), p.end(), [&](int v) { return v <= coding.tolerance; });
  if (coding.by == MaskCoding::By::nonzero)
    return background ? 0 : bit(coding.nonzero_class.empty() ? classes.front() : coding.nonzero_class);
  std::uint64_t found = 0;
  for (const MaskCoding::Code& code : coding.codes) {
    bool equal = true;
    for (std::size_t c = 0; c < p.size(); ++c)
      equal = equal && std::abs(p[c] - code.code[std::min(c, code.code.size() - 1)]) <= coding.tolerance;
    if (equal) found |= bit(code.class_name);
  }
  if (found == 0 && !background && !coding.ignore_unknown) return std::nullopt;
  return found;
}

}  // namespace

std::vector<MaskCoding::Code> MaskCoding::parse(const Value& table, By by) {
  std::vector<Code> out;
  if (table.is(Value::Type::null)) return out;
  if (!table.is(Value::Type::table) || table.table().empty()) misshapen(table, by);
  for (const auto& member : table.table()) {
    const Value& v = member.value;
    if (by == By::values) {
      if (!v.is(Value::Type::array)) out.push_back({member.key, {number(v, by)}});
      else
        for (const Value& each : v.array()) out.push_back({member.key, {number(each, by)}});
    } else {
      const bool several = v.is(Value::Type::array) && !v.array().empty() && v.array()[0].is(Value::Type::array);
      if (!several) out.push_back({member.key, colour(v)});
      else
        for (const Value& each : v.array()) out.push_back({member.key, colour(each)});
    }
  }
  return out;
}

namespace {

/// Where a class is named that the experiment has not.
struct Stranger {
  std::string key, message, hint;
};

std::vector<Stranger> strangers(const MaskCoding& coding, const std::vector<std::string>& classes) {
  std::vector<Stranger> out;
  std::set<std::string> seen;
  const auto look = [&](const std::string& name, const std::string& key) {
    if (nephron::is_ignored(name, coding.ignored)) return;
    if (std::find(classes.begin(), classes.end(), name) != classes.end() || !seen.insert(name).second) return;
    const std::string near = nephron::nearest(name, classes);
    std::string all;
    for (const std::string& c : classes) all += (all.empty() ? "\"" : ", \"") + c + "\"";
    out.push_back({key, "the mask coding names class \"" + name + "\"; the experiment's classes are " + all,
                   near.empty() ? "" : "did you mean \"" + near + "\"?"});
  };
  const std::string table = coding.by == MaskCoding::By::values ? "values." : "colours.";
  for (const MaskCoding::Code& c : coding.codes) look(c.class_name, table + c.class_name);
  if (!coding.nonzero_class.empty()) look(coding.nonzero_class, "nonzero");
  for (const std::string& name : coding.ignored)
    if (std::none_of(coding.codes.begin(), coding.codes.end(),
                     [&](const MaskCoding::Code& c) { return nephron::is_ignored(c.class_name, {name}); }))
      out.push_back({"ignore", "\"ignore\" names \"" + name + "\", which the masks have no code of",
                     "give it one: values = { ..., " + name + " = 255 }"});
  return out;
}

}  // namespace

void MaskCoding::check_classes(const std::vector<std::string>& classes) const {
  for (const Stranger& s : strangers(*this, classes)) throw nephron::ParameterError(s.message, s.hint);
}

void MaskCoding::check_classes(const std::vector<std::string>& classes, nephron::ParameterFaults& faults) const {
  for (const Stranger& s : strangers(*this, classes)) faults.add(s.key, s.message, s.hint);
}

std::vector<std::string> MaskCoding::classes_without_code(const std::vector<std::string>& classes) const {
  std::vector<std::string> out;
  for (const std::string& name : classes) {
    const bool has = by == By::nonzero
                         ? name == (nonzero_class.empty() ? classes.front() : nonzero_class)
                         : std::any_of(codes.begin(), codes.end(), [&](const Code& c) { return c.class_name == name; });
    if (!has) out.push_back(name);
  }
  return out;
}

MaskCoding::Labels MaskCoding::labels(const cv::Mat& mask, const std::vector<std::string>& classes) const {
  if (mask.depth() != CV_8U && mask.depth() != CV_16U) throw nephron::Error("a mask has 8 or 16 bits a channel");
  if (by == By::colours && (mask.channels() != 3 || mask.depth() != CV_8U))
    throw nephron::ParameterError("the mask is not an 8-bit colour picture, as `colours` needs",
                                  "use `values` or nonzero");
  const nephron::Depth depth = nephron::label_depth(static_cast<int>(classes.size()));
  Labels out{cv::Mat(mask.size(), depth == nephron::Depth::u8    ? CV_8U
                                  : depth == nephron::Depth::u16 ? CV_16U
                                                                 : CV_32S),
             {}};
  std::unordered_map<std::uint64_t, std::uint64_t> known;  // masks have few colours
  std::uint64_t last = ~std::uint64_t{0};
  std::uint64_t bits = 0;
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      std::uint64_t key = 0;
      for (int c = 0; c < mask.channels(); ++c) {
        const int at = x * mask.channels() + c;
        key = key << 16 | (mask.depth() == CV_16U ? mask.ptr<std::uint16_t>(y)[at] : mask.ptr<std::uint8_t>(y)[at]);
      }
      if (key != last) {
        const auto found = known.find(key);
        if (found != known.end()) {
          bits = found->second;
        } else {
          const Pixel p = pixel_at(mask, x, y);
          if (by == By::values && std::any_of(p.begin(), p.end(), [&](int v) { return v != p[0]; }))
            throw nephron::ParameterError("the mask has " + text(p) + " at (" + std::to_string(x) + ", " +
                                              std::to_string(y) + "); expected grey, as `values` needs",
                                          "use `colours`");
          const auto known_bits = bits_of(p, *this, classes);
          if (!known_bits)
            throw nephron::ParameterError("the mask has " + text(p) + " at (" + std::to_string(x) + ", " +
                                              std::to_string(y) + "), which no class has",
                                          "name it, raise tolerance, or set ignore_unknown = true");
          bits = known.emplace(key, *known_bits).first->second;
        }
        last = key;
      }
      nephron::with_label_type(
          depth, [&](auto zero) { out.bits.ptr<decltype(zero)>(y)[x] = static_cast<decltype(zero)>(bits); });
      if ((bits & ignored_bit) == 0) continue;
      if (out.ignored.empty()) out.ignored = cv::Mat::zeros(mask.size(), CV_8U);
      out.ignored.ptr<std::uint8_t>(y)[x] = 255;
    }
  }
  return out;
}

}  // namespace image_folder
