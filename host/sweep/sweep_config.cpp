#include <host/sweep/sweep_config.hpp>

namespace nephron::host {

void HalvingConfig::describe(Schema<HalvingConfig>& s) {
  s.field("eta", &HalvingConfig::eta, "one of so many trials goes on to the next rung").range(2, 16);
  s.field("first_epochs", &HalvingConfig::first_epochs, "of every trial; each rung has eta times as many")
      .at_least(1)
      .unit("epochs")
      .required();
}

void ConfirmConfig::describe(Schema<ConfirmConfig>& s) {
  s.field("top", &ConfirmConfig::top, "so many of the best trials are trained anew").range(1, 100);
  s.field("folds", &ConfirmConfig::folds, "\"all\" that chose nothing, or a list of such ones");
  s.field("seeds", &ConfirmConfig::seeds, "that chose nothing; when empty, as many new ones as the trials have")
      .at_least(0);
}

void SweepConfig::describe(Schema<SweepConfig>& s) {
  s.field("method", &SweepConfig::method, "how trials are made, and which of them are trained to their end")
      .choices({"grid", "random", "list", "halving"})
      .required();
  s.field("trials", &SweepConfig::trials, "how many are drawn").range(1, static_cast<double>(most_trials));
  s.field("seed", &SweepConfig::seed, "of what is drawn; the experiment's when not set").at_least(0);
  s.field("seeds", &SweepConfig::seeds, "each trial is trained with each; when empty, with the experiment's")
      .at_least(0);
  s.field("folds", &SweepConfig::folds, "that a trial is trained and scored on").at_least(0);
  s.field("score", &SweepConfig::score, "Dice of the best validation so far, or of the last").choices({"best", "last"});
  s.field("halving", &SweepConfig::halving, "of method \"halving\"");
  s.field("confirm", &SweepConfig::confirm, "the best trials once more, on folds and seeds that chose nothing");
  s.field("vary", &SweepConfig::vary, "keys of the experiment, each with a list of values or a distribution");
  s.field("list", &SweepConfig::list, "of method \"list\": the trials, each a table of keys");
}

}  // namespace nephron::host
