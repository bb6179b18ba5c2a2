#pragma once

#include <string>
#include <vector>

#include <nephron/labels.hpp>
#include <nephron/room.hpp>
#include <nephron/schema.hpp>

namespace nephron {

/// A line of `targets = [{ class = "healthy", none_of = ["unhealthy"], weight = 0.5 }]`, a parameter of datasets that
/// let an experiment say how their labels become target channels.
struct TargetRule {
  std::string class_name;
  std::vector<std::string> any_of;
  std::vector<std::string> none_of;
  double weight = 1;
  Room room{};
  static void describe(Schema<TargetRule>& s) {
    s.field("class", &TargetRule::class_name, "whose target channel this is").required();
    s.field("any_of", &TargetRule::any_of, "1 where the label has any of these classes; empty: the class itself");
    s.field("none_of", &TargetRule::none_of, "and none of these");
    s.field("weight", &TargetRule::weight, "of the channel in the loss of this dataset's samples; 0 switches it off")
        .at_least(0);
  }
};

/// One rule a class: what `rules` say, and `otherwise` for classes that they do not name. Throws Error for a class that
/// the experiment has not, or that two rules name.
NEPHRON_API std::vector<ChannelRule> channel_rules(const std::vector<TargetRule>& rules,
                                                   std::vector<ChannelRule> otherwise,
                                                   const std::vector<std::string>& classes);

}  // namespace nephron
