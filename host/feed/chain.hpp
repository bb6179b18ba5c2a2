#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nephron/draw.hpp>
#include <nephron/error.hpp>
#include <nephron/rng.hpp>

#include <host/config/experiment.hpp>
#include <host/config/normalise_link.hpp>

namespace nephron::host {

/// A chain of random changes: each link is applied with its own probability `p`, in order.
///
/// `sequence` applies its parts in order, each with its `p`. `one_of` applies one part, chosen with weight `p`.
/// `some_of` applies `count` parts, all equally likely, in their order, each with its `p`.
/// Each link draws from a stream of its own, so that a change of one leaves the others as they were. A leaf is what
/// `make(config, path)` gave for a component.
template <class Leaf>
class Chain {
 public:
  /// `root`: "augmentation"; the links are "augmentation[0]", "augmentation[1].of[0]", ...
  template <class Link, class Make>
  Chain(const std::vector<Link>& links, const std::string& root, const Make& make) {
    for (std::size_t i = 0; i < links.size(); ++i)
      if (links[i].component.type != normalise_link)  // which slides have gone through
        nodes_.push_back(node_of(links[i], root + "[" + std::to_string(i) + "]", make));
  }
  bool empty() const noexcept { return nodes_.empty(); }

  /// Calls apply(leaf, rng) for what is drawn for (seed, epoch, index).
  template <class Apply>
  void draw(std::uint64_t seed, std::uint64_t epoch, std::uint64_t index, const Apply& apply) const {
    for (const Node& node : nodes_) run(node, false, Key{seed, epoch, index}, apply);
  }

 private:
  struct Node {
    enum class Sort { leaf, sequence, one_of, some_of } sort = Sort::leaf;
    double p = 1;
    std::string path;
    Leaf leaf;
    std::vector<Node> parts;
    std::size_t count = 1;  ///< of the parts that some_of applies
  };
  struct Key {
    std::uint64_t seed, epoch, index;
  };

  template <class Link, class Make>
  static Node node_of(const Link& link, const std::string& path, const Make& make) {
    Node node;
    node.p = link.p;
    node.path = path;
    const std::string& type = link.component.type;
    if (type == "one_of") node.sort = Node::Sort::one_of;
    else if (type == "some_of") node.sort = Node::Sort::some_of;
    else if (type == "sequence") node.sort = Node::Sort::sequence;
    if (node.sort == Node::Sort::leaf) {
      node.leaf = make(link, path);
      return node;
    }
    if (node.sort == Node::Sort::some_of)
      node.count = static_cast<std::size_t>(SomeOfParams::count_of(link.component.params));
    double weights = 0;
    for (std::size_t i = 0; i < link.of.size(); ++i) {
      node.parts.push_back(node_of(link.of[i], path + ".of[" + std::to_string(i) + "]", make));
      weights += link.of[i].p;
    }
    if (node.parts.empty() || (node.sort == Node::Sort::one_of && !(weights > 0)))
      throw Error(link.component.source.str() + ": \"" + type + "\" has nothing to choose from",
                  "write of = [ { type = \"...\" }, ... ] with weights p above 0");
    return node;
  }

  template <class Apply>
  static void run(const Node& node, bool always, const Key& key, const Apply& apply) {
    Rng rng(key.seed, node.path, key.epoch, key.index);
    if (!rng.chance(node.p) && !always) return;
    if (node.sort == Node::Sort::leaf) {
      apply(node.leaf, rng);
    } else if (node.sort == Node::Sort::sequence) {
      for (const Node& part : node.parts) run(part, false, key, apply);
    } else if (node.sort == Node::Sort::some_of) {
      for (const std::size_t i : choose_some(node.parts.size(), node.count, rng)) run(node.parts[i], false, key, apply);
    } else {
      run(choose(node, rng), true, key, apply);
    }
  }

  // Each number is taken with the share of those still wanted among those still to come: all sets are equally likely.
  static std::vector<std::size_t> choose_some(std::size_t of, std::size_t count, Rng& rng) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < of && out.size() < count; ++i)
      if (rng.integer(0, static_cast<std::int64_t>(of - i) - 1) < static_cast<std::int64_t>(count - out.size()))
        out.push_back(i);
    return out;
  }

  static const Node& choose(const Node& node, Rng& rng) {
    std::vector<double> weights;
    double total = 0;
    for (const Node& part : node.parts) total += weights.emplace_back(part.p);
    return node.parts[chosen_by(weights, rng.uniform(0, total))];
  }

  std::vector<Node> nodes_;
};

}  // namespace nephron::host
