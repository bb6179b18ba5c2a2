#pragma once

#include <string>

#include <nephron/loss_input.hpp>

/// What the losses of this plugin have in common. p are probabilities, t targets.
struct OverlapParams {
  std::string overlap = "least";
  double smooth = 0.0;
  double eps = 1e-7;
  bool log = false;
  bool per_sample = false;
  std::string empty = "skip";

  template <class T>
  static void describe_overlap(nephron::Schema<T>& s) {
    const auto of = []<class M>(M OverlapParams::*member) -> M T::* { return member; };
    s.field("overlap", of(&OverlapParams::overlap),
            "least: sums of min(p, t) over those of p and t; product: of p t; squares: of p t over those of p^2, t^2")
        .choices({"least", "product", "squares"});
    s.field("smooth", of(&OverlapParams::smooth), "added to both sides of the fraction").range(0, 1e6);
    s.field("eps", of(&OverlapParams::eps), "least value of the denominator, and of the score under the logarithm")
        .range(1e-12, 1);
    s.field("log", of(&OverlapParams::log), "-log(score) in place of 1 - score");
    s.field("per_sample", of(&OverlapParams::per_sample), "a score a sample in place of one a batch");
    s.field("empty", of(&OverlapParams::empty),
            "a class without foreground: skip: 0; count: as any other, which wants smooth > 0")
        .choices({"skip", "count"});
  }
};

/// score = (both + smooth) / (both + false_positives * (P - both) + false_negatives * (T - both) + smooth), P, T and
/// both being the sums that `overlap` names. The loss, [N, C] or [1, C].
at::Tensor overlap_loss(const OverlapParams& params, double false_positives, double false_negatives,
                        const nephron::LossInput& input);
