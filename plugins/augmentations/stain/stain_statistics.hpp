#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nephron/augmentation_params.hpp>
#include <nephron/json.hpp>

#include "stains.hpp"

/// What is known of a slide's stains: colours, and amounts where there is much (Macenko's 99th percentile).
struct StainStatistics {
  StainPair stains;
  Pair strength;
};
/// Means and deviations of lightness, a and b (CIELAB) of a slide's tissue.
struct LabStatistics {
  Stain mean, deviation;
};

/// A file of slides' statistics: { "slides": { "ID": { "stains": [[r, g, b], [r, g, b]], "strength": [h, e],
/// "lab_mean": [l, a, b], "lab_deviation": [l, a, b] }, ... } }. Each component asks for the members that it needs.
class StatisticsFile {
 public:
  explicit StatisticsFile(const std::filesystem::path& file) : where_(file.string()), root_(nephron::read_json(file)) {}

  /// Calls read(id, members, where) for each slide, in the order of their names.
  template <class Read>
  void each(const Read& read) const {
    const nephron::Value& slides = nephron::json_member(root_, "slides", nephron::Value::Type::table, where_);
    for (const nephron::Value::Member& slide : slides.table())
      read(slide.key, slide.value, where_ + ", slide \"" + slide.key + "\"");
    if (slides.table().empty()) throw nephron::Error(where_ + " has no slides");
  }

  /// A list of N numbers; it, or one entry of it.
  template <std::size_t n>
  static std::array<double, n> numbers(const nephron::Value& list, const std::string& where) {
    std::array<double, n> out{};
    bool good = list.is(nephron::Value::Type::array) && list.array().size() == n;
    for (std::size_t i = 0; good && i < n; ++i) {
      const nephron::Value& v = list.array()[i];
      good = v.is(nephron::Value::Type::real) || v.is(nephron::Value::Type::integer);
      if (good) out[i] = v.number();
    }
    if (!good) throw nephron::Error(where + ": expected a list of " + std::to_string(n) + " numbers");
    return out;
  }
  template <std::size_t n>
  static std::array<double, n> member(const nephron::Value& of, const char* name, const std::string& where) {
    return numbers<n>(nephron::json_member(of, name, nephron::Value::Type::array, where), where + ", \"" + name + "\"");
  }

 private:
  std::string where_;
  nephron::Value root_;
};

/// What every component with a target asks for.
struct TransferParams {
  std::filesystem::path statistics;
  std::string target;
  std::array<double, 2> share{0.5, 1};

  static void describe(nephron::Schema<TransferParams>& s) {
    using P = TransferParams;
    s.field("statistics", &P::statistics, "JSON file: what is known of each slide's stains").required().must_exist();
    s.field("target", &P::target, "the slide that others come to look like; when empty, any of the file, drawn");
    s.field("share", &P::share, "smallest and largest share of the way there").range(0, 1);
  }
  void validate() const { nephron::require_order("share", share); }
};

/// The statistics of all slides of a file, and the pair of them that a sample needs.
template <class Statistics>
class SlideTable {
 public:
  /// `read(members, where)` makes the statistics of one slide.
  template <class Read>
  SlideTable(const TransferParams& params, const Read& read)
      : file_(params.statistics.string()), target_(params.target) {
    StatisticsFile(params.statistics)
        .each([&](const std::string& id, const nephron::Value& of, const std::string& where) {
          slides_[id] = read(of, where);
        });
    if (!target_.empty() && slides_.count(target_) == 0)
      throw nephron::Error("target = \"" + target_ + "\" is no slide of " + file_);
  }

  const Statistics& of(const std::string& slide) const {
    const auto own = slides_.find(slide);
    if (own == slides_.end())
      throw nephron::Error("slide \"" + slide + "\" is not in " + file_ +
                           ": add what is known of its stains, or keep this augmentation from its samples");
    return own->second;
  }
  const Statistics& drawn_target(nephron::Rng& rng) const {
    if (!target_.empty()) return slides_.at(target_);
    return std::next(slides_.begin(), rng.integer(0, static_cast<std::int64_t>(slides_.size()) - 1))->second;
  }

 private:
  std::string file_, target_;
  std::map<std::string, Statistics> slides_;
};
