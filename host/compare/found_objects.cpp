#include <host/compare/found_objects.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/compare/json_lines.hpp>
#include <host/stats/moments.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

namespace {

constexpr std::int64_t most_pixels = std::int64_t{1} << 40;
constexpr std::size_t bootstrap_draws = 9999;

struct TableObject {
  std::string of_class;
  Region box;
  std::int64_t area = 0;
  double iou = 0;  ///< with one of its class
  double confidence = 0;
  /// The same object, in whichever run: where it lies, and how large it is.
  auto place() const { return std::tuple(of_class, box.x, box.y, box.width, box.height, area); }
};

struct SlideObjects {
  std::vector<TableObject> truth;
  std::vector<TableObject> wrong;  ///< found where nothing is
};

void read_objects(std::map<SlideKey, SlideObjects>& out, const MeasuredRun::Part& part) {
  const std::string hint = "nephron validate " + shell_word(part.folder.string()) + " --overwrite measures it anew";
  read_json_lines(part.validation / "objects.jsonl", hint, [&](const JsonNode& json, std::size_t) {
    TableObject o;
    const auto whole = [&](const char* key) { return json.at(key).integer(0, most_pixels); };
    o.of_class = json.at("class").text();
    o.box = {whole("x"), whole("y"), whole("width"), whole("height")}, o.area = whole("area_px");
    const JsonNode other = json.at("other_class");
    if (!other.raw().is_null() && other.text() == o.of_class) o.iou = json.at("iou").number(0, 1);
    SlideObjects& slide = out[{json.at("dataset").text(), json.at("slide").text()}];
    const std::string side = json.at("side").text();
    if (side == "true") {
      slide.truth.push_back(std::move(o));
    } else if (side == "found") {
      if (const JsonNode c = json.at("confidence"); !c.raw().is_null()) o.confidence = c.number(0, 1);
      if (o.iou < found_from) slide.wrong.push_back(std::move(o));
    } else {
      json.at("side").refuse("is \"" + side + "\"; \"found\" or \"true\" was expected");
    }
  });
}

std::map<SlideKey, SlideObjects> objects_of(const MeasuredRun& run) {
  std::map<SlideKey, SlideObjects> out;
  for (const MeasuredRun::Part& part : run.parts()) read_objects(out, part);
  const auto by_place = [](const TableObject& a, const TableObject& b) { return a.place() < b.place(); };
  for (auto& [key, slide] : out) std::sort(slide.truth.begin(), slide.truth.end(), by_place);
  return out;
}

double box_iou(const Region& a, const Region& b) {
  const std::int64_t w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const std::int64_t h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  const double common = static_cast<double>(w) * static_cast<double>(h);
  return common / (static_cast<double>(a.width) * static_cast<double>(a.height) +
                   static_cast<double>(b.width) * static_cast<double>(b.height) - common);
}

using ObjectsOfRun = std::map<SlideKey, SlideObjects>;

/// Counts of a donor in one run.
struct DonorCounts {
  double truth = 0, found = 0, wrong = 0, slides = 0;
};

DonorCounts& operator+=(DonorCounts& to, const DonorCounts& more) {
  to.truth += more.truth, to.found += more.found, to.wrong += more.wrong, to.slides += more.slides;
  return to;
}

/// A true object in the runs of a side.
struct InSide {
  double share = 0, iou = 0;  ///< of the runs that found it; mean
  bool found() const { return share > 0.5; }
};

/// Those of a slide in all runs of a side that know it, by place: the truth is another one only with --anyway.
std::map<decltype(TableObject().place()), InSide> true_objects(const std::vector<const SlideObjects*>& runs) {
  std::map<decltype(TableObject().place()), std::pair<InSide, std::size_t>> sums;
  for (const SlideObjects* run : runs)
    for (const TableObject& o : run->truth) {
      auto& [sum, count] = sums[o.place()];
      sum.share += o.iou >= found_from ? 1 : 0, sum.iou += o.iou, ++count;
    }
  std::map<decltype(TableObject().place()), InSide> out;
  const auto n = static_cast<double>(runs.size());
  for (const auto& [place, sum] : sums)
    if (sum.second == runs.size()) out[place] = {sum.first.share / n, sum.first.iou / n};
  return out;
}

/// A slide of two sides.
struct SlideOfSides {
  const SlideKey& key;
  const std::string& donor;
  std::vector<const SlideObjects*> before, after;  ///< a run each
};

void compare_true(ObjectDifferences& out, const SlideOfSides& slide) {
  const auto before = true_objects(slide.before), after = true_objects(slide.after);
  for (const auto& [place, a] : before) {
    const auto other = after.find(place);
    if (other == after.end()) continue;
    const InSide& b = other->second;
    ++(a.found() ? b.found() ? out.kept : out.lost : b.found() ? out.won : out.missed);
    if (a.found() == b.found()) continue;
    const auto& [of_class, x, y, width, height, area] = place;
    out.changed.push_back({b.found() ? ObjectFate::won : ObjectFate::lost,
                           slide.key,
                           slide.donor,
                           of_class,
                           {x, y, width, height},
                           a.iou,
                           b.iou,
                           a.share,
                           b.share,
                           0});
  }
}

/// The same false object is one of the same class with nearly the same box.
void compare_false(ObjectDifferences& out, const SlideOfSides& slide) {
  const std::vector<TableObject>&before = slide.before[0]->wrong, &after = slide.after[0]->wrong;
  const auto add = [&](ObjectFate fate, const TableObject& o) {
    out.changed.push_back({fate, slide.key, slide.donor, o.of_class, o.box, 0, 0, 0, 0, o.confidence});
  };
  std::vector<bool> kept(before.size(), false);
  for (const TableObject& b : after) {
    std::size_t best = before.size();
    double most = found_from;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (const double iou = kept[i] || before[i].of_class != b.of_class ? 0 : box_iou(before[i].box, b.box);
          iou >= most)
        best = i, most = iou;
    if (best < before.size()) kept[best] = true, ++out.false_fates->kept;
    else add(ObjectFate::gained, b), ++out.false_fates->gained;
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    if (!kept[i]) add(ObjectFate::gone, before[i]), ++out.false_fates->gone;
}

/// [run][donor]
using CountsOfRuns = std::vector<std::vector<DonorCounts>>;

CountsOfRuns count(std::vector<ObjectsOfRun>& objects, const ValueTable& table) {
  CountsOfRuns out(objects.size(), std::vector<DonorCounts>(table.donors.size()));
  for (std::size_t r = 0; r < objects.size(); ++r)
    for (std::size_t s = 0; s < table.slides.size(); ++s) {
      const SlideObjects& slide = objects[r][table.slides[s]];
      const auto found = std::count_if(slide.truth.begin(), slide.truth.end(),
                                       [](const TableObject& o) { return o.iou >= found_from; });
      out[r][table.donor_of[s]] += {static_cast<double>(slide.truth.size()), static_cast<double>(found),
                                    static_cast<double>(slide.wrong.size()), 1};
    }
  return out;
}

/// A figure of donors, tested as any other; donors of which it is not defined in all runs are left out.
Finding tested(const CountsOfRuns& counts, const std::vector<Side>& sides, std::size_t side, const std::string& name,
               double DonorCounts::*above, double DonorCounts::*below, bool lower_is_better, std::uint64_t seed) {
  ValueTable table;
  table.value = name;
  table.by_donor.resize(counts.size());
  for (std::size_t d = 0; d < counts[0].size(); ++d) {
    if (std::any_of(counts.begin(), counts.end(), [&](const auto& run) { return run[d].*below == 0; })) continue;
    table.donors.emplace_back();
    for (std::size_t r = 0; r < counts.size(); ++r)
      table.by_donor[r].push_back(counts[r][d].*above / (counts[r][d].*below));
  }
  std::vector<Finding> out = findings(table, {sides[0], sides[side]}, {seed, lower_is_better, {}}, false);
  if (!out.empty()) return std::move(out[0]);
  Finding none;  // of no donor
  none.value = name, none.side = side;
  none.p = none.adjusted = std::numeric_limits<double>::quiet_NaN();
  return none;
}

/// Of all objects together, and of all runs of each side.
void pool(ObjectDifferences& out, const CountsOfRuns& counts, const Side& first, const Side& side, std::uint64_t seed) {
  const auto sums = [&](const Side& of) {
    std::vector<DonorCounts> sum(counts[0].size());
    for (const std::size_t run : of.runs)
      for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += counts[run][d];
    return sum;
  };
  const std::vector<DonorCounts> before = sums(first), after = sums(side);
  const auto share = [](std::span<const std::uint32_t> drawn, const std::vector<DonorCounts>& donors) {
    DonorCounts all;
    for (const std::uint32_t i : drawn) all += donors[i];
    return all.found / all.truth;
  };
  std::vector<std::uint32_t> each(before.size());
  std::iota(each.begin(), each.end(), 0U);
  out.share_before = share(each, before), out.share_after = share(each, after);
  for (const std::uint32_t d : each) {
    out.false_before += before[d].wrong / static_cast<double>(first.runs.size());
    out.false_after += after[d].wrong / static_cast<double>(side.runs.size());
  }
  out.share_difference = bootstrap({each.size(), bootstrap_draws, seed}, [&](std::span<const std::uint32_t> drawn) {
    return share(drawn, after) - share(drawn, before);
  });
}

void compare_slides(ObjectDifferences& out, std::vector<ObjectsOfRun>& objects, const Side& first, const Side& side,
                    const ValueTable& table) {
  if (first.runs.size() == 1 && side.runs.size() == 1) out.false_fates.emplace();
  for (std::size_t s = 0; s < table.slides.size(); ++s) {
    SlideOfSides slide{table.slides[s], table.donors[table.donor_of[s]], {}, {}};
    for (const std::size_t run : first.runs) slide.before.push_back(&objects[run][slide.key]);
    for (const std::size_t run : side.runs) slide.after.push_back(&objects[run][slide.key]);
    compare_true(out, slide);
    if (out.false_fates) compare_false(out, slide);
  }
  std::stable_sort(out.changed.begin(), out.changed.end(), [](const ChangedObject& a, const ChangedObject& b) {
    return std::tie(a.slide, a.fate) < std::tie(b.slide, b.fate);
  });
}

}  // namespace

std::vector<ObjectDifferences> compare_objects(const std::vector<MeasuredRun>& runs, const std::vector<Side>& sides,
                                               const ValueTable& table, std::uint64_t seed) {
  std::vector<ObjectsOfRun> objects;
  for (const MeasuredRun& run : runs) objects.push_back(objects_of(run));
  const CountsOfRuns counts = count(objects, table);
  std::vector<ObjectDifferences> out;
  for (std::size_t side = 1; side < sides.size(); ++side) {
    ObjectDifferences& one = out.emplace_back();
    one.side = side;
    compare_slides(one, objects, sides[0], sides[side], table);
    one.found = tested(counts, sides, side, "share of true objects found", &DonorCounts::found, &DonorCounts::truth,
                       false, seed);
    one.false_ones =
        tested(counts, sides, side, "false objects a slide", &DonorCounts::wrong, &DonorCounts::slides, true, seed);
    pool(one, counts, sides[0], sides[side], seed);
  }
  return out;
}

}  // namespace nephron::host
