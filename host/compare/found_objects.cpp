#include <host/compare/found_objects.hpp>

#include <algorithm>
#include <map>
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
  auto place() const { return std::tie(of_class, box.x, box.y, box.width, box.height, area); }
};

struct SlideObjects {
  std::vector<TableObject> truth;
  std::vector<TableObject> wrong;  ///< found where nothing is
};

std::map<SlideKey, SlideObjects> objects_of(const MeasuredRun& run) {
  std::map<SlideKey, SlideObjects> out;
  const std::string hint = "nephron validate " + shell_word(run.folder.string()) + " --overwrite measures it anew";
  read_json_lines(run.validation / "objects.jsonl", hint, [&](const JsonNode& json, std::size_t) {
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

/// Counts of a donor.
struct DonorCounts {
  double truth = 0, found_before = 0, found_after = 0, false_before = 0, false_after = 0, slides = 0;
};

class Comparing {
 public:
  Comparing(ObjectComparisonOfRuns& out, std::vector<DonorCounts>& donors) : out_(out), donors_(donors) {}

  void slide(const SlideKey& key, std::size_t d, const std::string& donor, const SlideObjects& before,
             const SlideObjects& after) {
    ++donors_[d].slides;
    for (std::size_t i = 0, j = 0; i < before.truth.size() && j < after.truth.size();) {
      const TableObject &a = before.truth[i], &b = after.truth[j];
      if (a.place() < b.place()) ++i;  // only where the truth is another one, which --anyway allows
      else if (b.place() < a.place()) ++j;
      else true_object(key, d, donor, a, b), ++i, ++j;
    }
    false_objects(key, d, donor, before.wrong, after.wrong);
  }

 private:
  void true_object(const SlideKey& key, std::size_t d, const std::string& donor, const TableObject& a,
                   const TableObject& b) {
    const bool before = a.iou >= found_from, after = b.iou >= found_from;
    ++donors_[d].truth, donors_[d].found_before += before ? 1 : 0, donors_[d].found_after += after ? 1 : 0;
    ++(before ? after ? out_.kept : out_.lost : after ? out_.won : out_.missed);
    if (before != after)
      out_.changed.push_back(
          {after ? ObjectFate::won : ObjectFate::lost, key, donor, a.of_class, a.box, a.iou, b.iou, 0});
  }

  /// The same false object is one of the same class with nearly the same box.
  void false_objects(const SlideKey& key, std::size_t d, const std::string& donor,
                     const std::vector<TableObject>& before, const std::vector<TableObject>& after) {
    std::vector<bool> kept(before.size(), false);
    for (const TableObject& b : after) {
      std::size_t best = before.size();
      double most = found_from;
      for (std::size_t i = 0; i < before.size(); ++i)
        if (const double iou = kept[i] || before[i].of_class != b.of_class ? 0 : box_iou(before[i].box, b.box);
            iou >= most)
          best = i, most = iou;
      if (best < before.size()) kept[best] = true, ++out_.false_kept;
      else add_false(ObjectFate::gained, key, donor, b), ++out_.false_gained;
    }
    for (std::size_t i = 0; i < before.size(); ++i)
      if (!kept[i]) add_false(ObjectFate::gone, key, donor, before[i]), ++out_.false_gone;
    donors_[d].false_before += static_cast<double>(before.size());
    donors_[d].false_after += static_cast<double>(after.size());
  }

  void add_false(ObjectFate fate, const SlideKey& key, const std::string& donor, const TableObject& o) {
    out_.changed.push_back({fate, key, donor, o.of_class, o.box, 0, 0, o.confidence});
  }

  ObjectComparisonOfRuns& out_;
  std::vector<DonorCounts>& donors_;
};

/// A figure of donors, tested as any other; donors of which it is not defined are left out.
Finding tested(const std::vector<DonorCounts>& donors, const std::string& name, double DonorCounts::*before,
               double DonorCounts::*after, double DonorCounts::*below, bool lower_is_better, std::uint64_t seed) {
  ValueTable table;
  table.value = name;
  table.by_donor.resize(2);
  for (const DonorCounts& d : donors) {
    if (d.*below == 0) continue;
    table.donors.emplace_back();
    table.by_donor[0].push_back(d.*before / (d.*below));
    table.by_donor[1].push_back(d.*after / (d.*below));
  }
  std::vector<Finding> out = findings(table, {{"", {0}}, {"", {1}}}, {seed, lower_is_better, {}}, false);
  return out.empty() ? Finding{} : std::move(out[0]);
}

void pool(ObjectComparisonOfRuns& out, const std::vector<DonorCounts>& donors, std::uint64_t seed) {
  const auto share = [&](std::span<const std::uint32_t> drawn, double DonorCounts::*found) {
    double all = 0, of = 0;
    for (const std::uint32_t i : drawn) all += donors[i].truth, of += donors[i].*found;
    return of / all;
  };
  std::vector<std::uint32_t> each(donors.size());
  for (std::uint32_t i = 0; i < each.size(); ++i) each[i] = i;
  out.share_before = share(each, &DonorCounts::found_before), out.share_after = share(each, &DonorCounts::found_after);
  out.share_difference = bootstrap({donors.size(), bootstrap_draws, seed}, [&](std::span<const std::uint32_t> drawn) {
    return share(drawn, &DonorCounts::found_after) - share(drawn, &DonorCounts::found_before);
  });
}

}  // namespace

ObjectComparisonOfRuns compare_objects(const std::vector<MeasuredRun>& runs, std::size_t first, std::size_t run,
                                       const ValueTable& table, std::uint64_t seed) {
  std::map<SlideKey, SlideObjects> before = objects_of(runs[first]), after = objects_of(runs[run]);
  ObjectComparisonOfRuns out;
  out.run = run;
  std::vector<DonorCounts> donors(table.donors.size());
  Comparing comparing(out, donors);
  for (std::size_t s = 0; s < table.slides.size(); ++s) {
    const std::size_t d = table.donor_of[s];
    comparing.slide(table.slides[s], d, table.donors[d], before[table.slides[s]], after[table.slides[s]]);
  }
  out.found = tested(donors, "share of true objects found", &DonorCounts::found_before, &DonorCounts::found_after,
                     &DonorCounts::truth, false, seed);
  out.false_ones = tested(donors, "false objects a slide", &DonorCounts::false_before, &DonorCounts::false_after,
                          &DonorCounts::slides, true, seed);
  pool(out, donors, seed);
  std::stable_sort(out.changed.begin(), out.changed.end(), [](const ChangedObject& a, const ChangedObject& b) {
    return std::tie(a.slide, a.fate) < std::tie(b.slide, b.fate);
  });
  return out;
}

}  // namespace nephron::host
