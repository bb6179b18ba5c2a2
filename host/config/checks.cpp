#include <host/config/checks.hpp>

#include <algorithm>
#include <map>
#include <set>

#include <nephron/folder_name.hpp>
#include <nephron/label_pixels.hpp>

#include <host/config/components.hpp>
#include <host/config/normalise_link.hpp>
#include <host/config/written_keys.hpp>

namespace nephron::host {

namespace {

bool same_place(const Source& a, const Source& b) {
  return a.line == b.line && a.column == b.column && a.file != nullptr && b.file != nullptr && *a.file == *b.file;
}

class Checks : WrittenKeys {
 public:
  Checks(const Experiment& e, const Value& written, Diagnostics& faults) : WrittenKeys(written, faults), e_(e) {}

  void all() {
    classes();
    tile();
    level();
    datasets();
    model();
    loss();
    predict();
    chain(e_.augmentations, at({"augmentation"}));
    chain(e_.batch_augmentations, at({"batch_augmentation"}));
  }

 private:
  void classes() {
    if (find({"classes"}) == nullptr || !clean({"classes"})) return;
    const Value& v = at({"classes"});
    if (e_.classes.empty() || e_.classes.size() > most_classes)  // labels have one bit a class
      fault(v, "\"classes\" must name 1 to " + std::to_string(most_classes) + " classes, not " +
                   std::to_string(e_.classes.size()));
    if (e_.classes.size() == most_classes && e_.data.ignore_outside && clean({"data", "ignore_outside"}))
      fault(at({"data", "ignore_outside"}),
            "\"ignore_outside\" takes a bit beside those of " + std::to_string(most_classes) + " classes",
            "leave one of the classes out, or ignore_outside");
    if (std::set(e_.classes.begin(), e_.classes.end()).size() != e_.classes.size())
      fault(v, "\"classes\" names one class twice");
    for (std::size_t c = 0; c < e_.classes.size(); ++c) class_name(e_.classes[c], v.array()[c]);
    class_folders(v);
  }

  /// Names become names of folders, and stand in tables, pages and records.
  void class_name(const std::string& name, const Value& v) {
    constexpr std::size_t longest = 100;
    if (name.empty()) fault(v, "a class needs a name");
    if (name.size() > longest)
      fault(v, "the name of a class has " + std::to_string(name.size()) + " bytes; expected " +
                   std::to_string(longest) + " at most");
    if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
      fault(v, "the name of a class holds a control character, such as a line break or a tab");
    else if (!name.empty() && (name.front() == ' ' || name.back() == ' '))
      fault(v, "the name of a class begins or ends with a space");
  }

  /// Predictions have a folder a class.
  void class_folders(const Value& v) {
    std::map<std::string, std::string> folders;
    for (std::size_t c = 0; c < e_.classes.size(); ++c) {
      const std::string& name = e_.classes[c];
      const auto [other, fresh] = folders.emplace(folder_name(name), name);
      if (!fresh && other->second != name)
        fault(v.is(Value::Type::array) && c < v.array().size() ? v.array()[c] : v,
              "the classes \"" + other->second + "\" and \"" + name + "\" would have one folder, \"" + other->first +
                  "\", for their masks",
              "rename one of them: in folders, all but letters, digits, '-', '_' and '.' becomes '_'");
    }
  }

  void tile() {
    if (clean({"data", "tile"}) && e_.data.tile % 32 != 0)
      fault(at({"data", "tile"}), "\"tile\" must be a multiple of 32, not " + std::to_string(e_.data.tile),
            "encoders halve the picture five times; the nearest is " + std::to_string((e_.data.tile + 16) / 32 * 32));
  }

  void level() {
    if (!clean({"data", "mpp"}) || !clean({"data", "factor"})) return;
    if (e_.data.mpp > 0 && e_.data.factor != 1)  // 1 is what a resolved file says where nothing was said
      fault(at({"data", "mpp"}), "\"mpp\" and \"factor\" exclude each other: both say how far slides are reduced",
            "leave one of them out, or say mpp = 0 for slides that are reduced by \"factor\"");
  }

  void datasets() {
    const Value& list = at({"dataset"});
    if (find({"dataset"}) == nullptr || !list.is(Value::Type::array)) return;
    if (e_.datasets.empty()) return fault(list, "at least one dataset is needed", "[[dataset]] with its type");
    std::set<std::string> names;
    double sum = 0;
    bool without_share = false, shares_known = true;
    for (std::size_t i = 0; i < e_.datasets.size(); ++i) {
      const DatasetConfig& d = e_.datasets[i];
      const Value* share = list.array()[i].find("share");
      if (!list.array()[i].is(Value::Type::table) || (share != nullptr && holds_fault(*share, known_)))
        shares_known = false;
      sum += d.share;
      without_share = without_share || d.share == 0;
      if (!d.name.empty() && !names.insert(d.name).second)
        fault(list.array()[i], "two datasets are called \"" + d.name + "\"",
              "give one of them another: name = \"...\"");
    }
    if (!shares_known) return;
    constexpr double slack = 1e-9;
    if (sum > 1 + slack)
      fault(list.array()[0], "the shares of the datasets add up to " + Value(sum).str() + ", which is more than 1");
    else if (without_share && sum > 1 - slack)
      fault(list.array()[0], "the shares of the datasets add up to 1: nothing is left for those without a share");
    else if (!without_share && sum < 1 - slack)
      fault(list.array()[0], "the shares of the datasets add up to " + Value(sum).str() + ", not 1",
            "leave the share of one of them out, and it gets what is left over");
  }

  void model() {
    if (clean({"model", "in_channels"}) && e_.model.in_channels != 3)
      fault(at({"model", "in_channels"}),
            "\"in_channels\" is " + std::to_string(e_.model.in_channels) + ", but slides give 3 channels",
            "every slide is read as red, green and blue; leave in_channels out");
    if (e_.model.checkpointing && e_.train.cuda_graph && clean({"model", "checkpointing"}) &&
        clean({"train", "cuda_graph"}))
      fault(at({"train", "cuda_graph"}),
            "\"cuda_graph\" cannot record blocks that are run again for their gradients (model.checkpointing): where "
            "random numbers begin cannot be set back within a recording",
            "take one of the two");
  }

  void loss() {
    if (clean({"loss", "class_weights"})) class_weights();
    if (find({"loss", "terms"}) == nullptr || !clean({"loss", "terms"})) return;
    if (e_.loss.terms.empty()) {
      fault(at({"loss", "terms"}), "at least one loss is needed", "terms = [ { type = \"NAME\" } ]");
      return;
    }
    const std::int64_t epochs = clean({"train", "epochs"}) ? e_.train.epochs : 1;
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
      const auto zero = [&](const LossTerm& t) { return t.weight_at(epoch) == 0; };
      if (!std::all_of(e_.loss.terms.begin(), e_.loss.terms.end(), zero)) continue;
      fault(at({"loss", "terms"}), "every loss has weight 0 in epoch " + std::to_string(epoch) +
                                       ": nothing would be learnt; epochs count from 0");
      return;
    }
  }

  void class_weights() {
    const auto& weights = e_.loss.class_weights;
    const bool classes_known = find({"classes"}) != nullptr && clean({"classes"});
    if (!weights.empty() && classes_known && weights.size() != e_.classes.size())
      fault(at({"loss", "class_weights"}),
            "\"class_weights\" must have one number a class: " + std::to_string(e_.classes.size()) + ", not " +
                std::to_string(weights.size()));
    const auto zero = [](double w) { return w == 0; };
    if (!weights.empty() && std::all_of(weights.begin(), weights.end(), zero))
      fault(at({"loss", "class_weights"}), "every class has weight 0: nothing would be learnt");
  }

  void predict() {
    const Value& threshold = e_.predict.threshold;
    const bool number = threshold.is(Value::Type::integer) || threshold.is(Value::Type::real);
    const bool good = number ? threshold.number() >= 0 && threshold.number() <= 1
                             : threshold.is(Value::Type::string) && threshold.string() == "search";
    if (!good && clean({"predict", "threshold"}))
      fault(at({"predict", "threshold"}),
            "\"threshold\" must be a number in 0 to 1, or \"search\", not " + threshold.str());
    constexpr double usual = 0.5;  // a run's resolved file says it
    if (e_.exclusive && clean({"exclusive"}) && good && !(number && threshold.number() == usual))
      fault(at({"predict", "threshold"}), "exclusive classes have no \"threshold\": a pixel is what is likeliest there",
            "leave it out");
    if (!clean({"predict", "tta"})) return;
    const auto& tta = e_.predict.tta;
    if (tta.empty())
      fault(at({"predict", "tta"}), "\"tta\" must name at least one flip", "[\"identity\"] predicts once");
    if (std::set(tta.begin(), tta.end()).size() != tta.size())
      fault(at({"predict", "tta"}), "\"tta\" names one flip twice");
  }

  template <class Link>
  void chain(const std::vector<Link>& links, const Value& list) {
    for (std::size_t i = 0; i < links.size(); ++i)
      augmentation(links[i], list.is(Value::Type::array) ? list.array()[i] : list, /*first=*/i == 0);
  }

  /// What every slide goes through.
  template <class Link>
  void normalise(const Link& a, const Value& table, const Value& of, bool first) {
    if (!first)
      fault(table, "\"normalise\" is what slides go through before all else: it is the first of [[augmentation]]");
    if (a.p != 1) fault(table, "\"normalise\" has no \"p\": every slide goes through it");
    for (std::size_t i = 0; i < a.of.size(); ++i)
      if (is_combinator("augmentation", a.of[i].component.type) || a.of[i].p != 1)
        fault(of.array()[i], "\"normalise\" draws nothing: its augmentations have no \"p\" and hold no others");
  }

  template <class Link>
  void augmentation(const Link& a, const Value& table, bool first = false) {
    const Value* of = table.find("of");
    if (a.component.type.empty() || (of != nullptr && !of->is(Value::Type::array))) return;
    if (!is_combinator("augmentation", a.component.type)) {
      if (of != nullptr)
        fault(*of, "only one_of, some_of, sequence and normalise hold other augmentations", "leave \"of\" out");
      return;
    }
    if (a.of.empty())
      return fault(table, a.component.type + " needs augmentations", "of = [ { type = \"NAME\" }, ... ]");
    if (a.component.type == normalise_link) normalise(a, table, *of, first);
    double sum = 0;
    for (std::size_t i = 0; i < a.of.size(); ++i) {
      augmentation(a.of[i], of->array()[i]);
      sum += a.of[i].p;
    }
    if (a.component.type == "one_of" && sum == 0) fault(*of, "every choice of one_of has p = 0");
    if (const Value* count = table.find("count"); a.component.type == "some_of" && count != nullptr &&
                                                  count->is(Value::Type::integer) &&
                                                  count->integer() > static_cast<std::int64_t>(a.of.size()))
      fault(*count, "some_of has " + std::to_string(a.of.size()) + " augmentations to choose " + count->str() + " from",
            "lower \"count\", or add to \"of\"");
  }

  const Experiment& e_;
};

}  // namespace

bool holds_fault(const Value& value, const Diagnostics& faults) {
  const auto at_fault = [&](const Source& place) {
    return std::any_of(faults.begin(), faults.end(), [&](const Diagnostic& d) { return same_place(d.source, place); });
  };
  if (at_fault(value.source)) return true;
  if (value.is(Value::Type::array))
    return std::any_of(value.array().begin(), value.array().end(),
                       [&](const Value& v) { return holds_fault(v, faults); });
  if (!value.is(Value::Type::table)) return false;
  return std::any_of(value.table().begin(), value.table().end(),
                     [&](const Value::Member& m) { return at_fault(m.source) || holds_fault(m.value, faults); });
}

void check_together(const Experiment& experiment, const Value& written, Diagnostics& faults) {
  Checks(experiment, written, faults).all();
  check_training(experiment.train, written, faults);
}

}  // namespace nephron::host
