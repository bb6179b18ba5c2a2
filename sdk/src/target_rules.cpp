#include <nephron/target_rules.hpp>

#include <set>

#include <nephron/error.hpp>
#include <nephron/object_classes.hpp>

namespace nephron {

namespace {

std::uint32_t bits(const std::vector<std::string>& names, const std::vector<std::string>& classes) {
  std::uint32_t out = 0;
  for (const std::string& name : names) out |= 1U << class_number(name, classes);
  return out;
}

}  // namespace

std::vector<ChannelRule> channel_rules(const std::vector<TargetRule>& rules, std::vector<ChannelRule> otherwise,
                                       const std::vector<std::string>& classes) {
  std::set<int> told;
  for (const TargetRule& rule : rules) {
    const int c = class_number(rule.class_name, classes);
    if (!told.insert(c).second)
      throw Error("targets names class \"" + rule.class_name + "\" twice; expected one rule a class");
    ChannelRule& out = otherwise.at(static_cast<std::size_t>(c));
    out.any_of = rule.any_of.empty() ? 1U << c : bits(rule.any_of, classes);
    out.none_of = bits(rule.none_of, classes);
    out.weight = static_cast<float>(rule.weight);
  }
  return otherwise;
}

}  // namespace nephron
