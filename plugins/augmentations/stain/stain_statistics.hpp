#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nephron/augmentation_params.hpp>
#include <nephron/json.hpp>
#include <nephron/slide_colours.hpp>
#include <nephron/slide_dataset.hpp>

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

/// A file of slides' statistics, by "ID" or, where several datasets have slides of one name, by "DATASET/ID":
/// { "slides": { "ID": { "stains": [[r, g, b], [r, g, b]], "strength": [h, e],
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

/// What every component with a target asks for. `To`: a target in numbers.
template <class To>
struct TransferParams {
  std::filesystem::path statistics;
  std::string target;
  std::optional<To> to;
  std::array<double, 2> share{0.5, 1};

  static void describe(nephron::Schema<TransferParams>& s) {
    using P = TransferParams;
    s.field("statistics", &P::statistics,
            "JSON file: what is known of slides' stains; when empty, what was measured when they were prepared")
        .must_exist();
    s.field("target", &P::target, "the slide of the file that others come to look like");
    s.field("to", &P::to, "what others come to look like, in numbers; without it and `target`, any slide, drawn");
    s.field("share", &P::share, "smallest and largest share of the way there").range(0, 1);
  }
  void validate() const {
    nephron::require_order("share", share);
    if (!target.empty() && statistics.empty())
      throw nephron::Error("\"target\" names a slide of a file, and \"statistics\" names none");
    if (!target.empty() && to) throw nephron::Error("\"target\" and \"to\" exclude each other");
  }
};

/// What is known of a sample's slide and of the one that it comes to look like: of a file, or as the host has measured
/// them. `read(members, where)` makes the statistics of one slide of the file, `measured(colours)` those of the host's;
/// nothing where they do not suffice.
template <class Statistics>
class SlideTable {
 public:
  using Measured = std::optional<Statistics> (*)(const nephron::SlideColours&);

  template <class Params, class Read>
  SlideTable(const Params& params, const Read& read, Measured measured)
      : file_(params.statistics.string()), target_(params.target), measured_(measured) {
    if (file_.empty()) return;
    StatisticsFile(params.statistics)
        .each([&](const std::string& id, const nephron::Value& of, const std::string& where) {
          slides_[id] = read(of, where);
        });
    if (!target_.empty() && slides_.count(target_) == 0)
      throw nephron::Error("target = \"" + target_ + "\" is no slide of " + file_);
  }

  /// Of the sample's own slide; nothing where nothing is known of it, or its tissue is too little to be measured.
  std::optional<Statistics> own(const nephron::SampleInfo& sample) const {
    if (const Statistics* const of_file = told_of(sample)) return *of_file;
    if (const nephron::SlideColours* const colours = nephron::slide_colours(sample)) return measured_(*colours);
    if (file_.empty() || nephron::colour_book(sample) != nullptr) return std::nullopt;
    throw nephron::Error("slide \"" + sample.slide + "\" is not in " + file_ +
                         ", and nothing was measured of it: add what is known of its stains, or keep this augmentation "
                         "from its samples");
  }

  /// Of any slide of the file, or, without one, of those that are trained on; nothing where the one that is drawn has
  /// too little tissue.
  std::optional<Statistics> target(const nephron::SampleInfo& sample, nephron::Rng& rng) const {
    if (!target_.empty()) return slides_.at(target_);
    const auto any = [&](std::size_t of) {
      return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(of) - 1));
    };
    if (!slides_.empty()) return std::next(slides_.begin(), static_cast<std::ptrdiff_t>(any(slides_.size())))->second;
    const nephron::ColourBook* const book = nephron::colour_book(sample);
    if (book == nullptr || book->size() == 0) return std::nullopt;
    const nephron::SlideColours* const colours = book->colours(any(book->size()));
    return colours == nullptr ? std::nullopt : measured_(*colours);
  }

 private:
  const Statistics* find(const std::string& name) const {
    const auto found = slides_.find(name);
    return found == slides_.end() ? nullptr : &found->second;
  }

  /// What the file says of the sample's slide; null: nothing. Throws Error where it may mean another of that name.
  const Statistics* told_of(const nephron::SampleInfo& sample) const {
    const std::string& id = sample.slide;
    const std::string dataset = nephron::slide_dataset(sample);
    if (dataset.empty()) return told_of_any(id);
    if (const Statistics* const own = find(dataset + "/" + id)) return own;
    const Statistics* const out = find(id);
    if (out == nullptr) return out;
    const std::lock_guard lock(mutex_);
    const auto& [whose, fresh] = taken_.try_emplace(id, dataset);
    if (!fresh && whose->second != dataset) refuse(id, whose->second + "/" + id, dataset + "/" + id);
    return out;
  }

  /// Of a picture that is of no dataset.
  const Statistics* told_of_any(const std::string& id) const {
    const std::pair<const std::string, Statistics>* out = nullptr;
    for (const auto& of : slides_) {
      const std::string& key = of.first;
      const bool is_of_dataset = key.find('/') + id.size() + 1 == key.size() && key.ends_with("/" + id);
      if (key != id && !is_of_dataset) continue;
      if (out != nullptr) refuse(id, out->first, key);
      out = &of;
    }
    return out == nullptr ? nullptr : &out->second;
  }

  [[noreturn]] void refuse(const std::string& id, const std::string& one, const std::string& other) const {
    throw nephron::Error("what " + file_ + " says of slide \"" + id + "\" may be of " + one + " or of " + other,
                         "name both there, each \"DATASET/" + id +
                             "\", and predict slides of a dataset by it (--dataset), not by their files");
  }

  std::string file_, target_;
  Measured measured_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string>
      taken_;  ///< names without a dataset, and the first whose slide was asked for
  std::map<std::string, Statistics> slides_;
};
