// What cannot be among the keys of [train].
#include <algorithm>
#include <set>

#include <host/config/written_keys.hpp>
#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

class TrainChecks : WrittenKeys {
 public:
  TrainChecks(const TrainConfig& train, const Value& written, Diagnostics& faults)
      : WrittenKeys(written, faults), t_(train) {}

  void all() {
    steps();
    if (clean({"train", "optimizer"})) optimizer();
    if (clean({"train", "schedule"})) schedule();
    if (clean({"train", "average"})) average();
    if (clean({"train", "hard_examples"})) hard_examples();
    if (clean({"train", "group"})) groups();
    if (clean({"train", "freeze"})) freeze();
  }

 private:
  bool lengths_known() const { return clean({"train", "epochs"}) && clean({"train", "validate_every"}); }
  std::string epochs() const { return counted(t_.epochs, "epoch"); }

  void steps() {
    if (clean({"train", "accumulate"}) && clean({"train", "steps_per_epoch"}) && t_.accumulate > t_.steps_per_epoch)
      fault(at({"train", "accumulate"}), "\"accumulate\" must not be more than \"steps_per_epoch\" (" +
                                             std::to_string(t_.steps_per_epoch) + "): no epoch would have a step");
  }

  void optimizer() {
    const OptimizerConfig& o = t_.optimizer;
    for (const double beta : o.betas_in_use())
      if (beta >= 1) fault(at({"train", "optimizer", "betas"}), "\"betas\" must be below 1, not " + Value(beta).str());
    if (o.layer_decay == 0)
      fault(at({"train", "optimizer", "layer_decay"}),
            "\"layer_decay\" must be more than 0: no layer of the encoder "
            "would learn",
            "[[train.freeze]] with match = \"encoder\" leaves an encoder as it is");
    if (!o.nesterov) return;
    if (o.type != "sgd")
      fault(at({"train", "optimizer", "nesterov"}), "\"nesterov\" is of sgd, not of " + o.type,
            "leave it out, or take type = \"sgd\"");
    else if (o.momentum == 0)
      fault(at({"train", "optimizer", "nesterov"}),
            "\"nesterov\" looks ahead along the momentum, and \"momentum\" is 0");
  }

  void schedule() {
    const ScheduleConfig& s = t_.schedule;
    if (s.type != "plateau") return;
    if (s.factor >= 1)
      fault(at({"train", "schedule", "factor"}), "\"factor\" must be below 1, or the rate never falls");
    if (!lengths_known()) return;
    if (t_.patience > 0 && t_.patience <= s.patience && clean({"train", "patience"}))
      fault(at({"train", "patience"}),
            "training stops after " + counted(t_.patience, "validation") +
                " without a better Dice, and the schedule bears " + std::to_string(s.patience) +
                " before the rate falls: it never would",
            "train.patience has to be more than train.schedule.patience");
    // The first validation is always the best so far.
    const int validations = (t_.epochs + t_.validate_every - 1) / t_.validate_every;
    if (validations < s.patience + 2)
      fault(at({"train", "schedule", "patience"}),
            epochs() + " have " + counted(validations, "validation") + ", and the schedule bears " +
                std::to_string(s.patience) + " without a better Dice: the rate would never fall",
            "lower train.schedule.patience, or take another schedule");
  }

  void average() {
    const AverageConfig& a = t_.average;
    if (a.type == "none") return;
    if (a.type == "ema" && a.decay >= 1)
      fault(at({"train", "average", "decay"}), "\"decay\" must be below 1, or the average never changes");
    if (clean({"train", "epochs"}) && a.start >= t_.epochs)
      fault(at({"train", "average", "start"}),
            "averaging begins after " + counted(a.start, "epoch") + ", and training has " + epochs(),
            "\"start\" has to be less than train.epochs");
  }

  void hard_examples() {
    if (t_.hard_examples.share > 0 && clean({"train", "epochs"}) && t_.epochs < 2)
      fault(at({"train", "hard_examples", "share"}),
            "windows come again from the second epoch on, and training has " + epochs(),
            "train for more epochs of fewer steps, or leave train.hard_examples out");
  }

  /// The table of one entry of a list of tables.
  const Value& entry(const Value& list, std::size_t i) const {
    return list.is(Value::Type::array) && i < list.array().size() ? list.array()[i] : list;
  }
  static const Value& key(const Value& table, const char* name) {
    const Value* const v = table.find(name);
    return v == nullptr ? table : *v;
  }

  void groups() {
    const Value& list = at({"train", "group"});
    std::set<std::string> patterns;
    for (std::size_t i = 0; i < t_.groups.size(); ++i) {
      const Value& match = key(entry(list, i), "match");
      if (t_.groups[i].match.empty()) fault(match, "\"match\" is empty: it names no parameter");
      else if (!patterns.insert(t_.groups[i].match).second)
        fault(match, "two groups match \"" + t_.groups[i].match + "\": the second would have no parameter");
    }
  }

  void freeze() {
    const Value& list = at({"train", "freeze"});
    for (std::size_t i = 0; i < t_.freeze.size(); ++i) {
      const FreezeConfig& f = t_.freeze[i];
      const Value& table = entry(list, i);
      if (f.match.empty()) fault(key(table, "match"), "\"match\" is empty: it names no parameter");
      if (f.until && *f.until <= f.from)
        fault(key(table, "until"),
              "frozen from epoch " + std::to_string(f.from) + " until epoch " + std::to_string(*f.until) + " is never",
              "\"until\" has to be more than \"from\"");
      if (clean({"train", "epochs"}) && f.from >= t_.epochs)
        fault(key(table, "from"),
              "it would freeze after " + counted(f.from, "epoch") + ", and training has " + epochs());
    }
  }

  const TrainConfig& t_;
};

}  // namespace

void check_training(const TrainConfig& train, const Value& written, Diagnostics& faults) {
  TrainChecks(train, written, faults).all();
}

}  // namespace nephron::host
