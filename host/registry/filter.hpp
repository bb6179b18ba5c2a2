#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <host/registry/fact.hpp>

namespace nephron::host {

/// A condition on the facts of a run:
///
///   train.optimizer.lr<1e-3 and (dice > 0.9 or tag = baseline) and not user = anna
///
/// KEY OP VALUE with = != < <= > >= and ~ (contains), joined by and, or, not and parentheses; "and" binds closer. A
/// value with blanks or parentheses is written in quotes. Numbers are compared as numbers, everything else as text. A
/// comparison of a key that a run lacks is neither true nor false: neither it nor its contrary matches.
class Filter {
 public:
  /// Throws UsageError that shows the place.
  static Filter parse(const std::string& text);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  /// The keys that it compares, each once.
  const std::vector<std::string>& keys() const noexcept { return keys_; }
  /// Throws UsageError that shows the place of a key that `known` lacks, and names one that may have been meant.
  void require_known(const std::vector<std::string>& known) const;

  /// Throws UsageError that shows the place of a value that `key` is compared with by = or != and that can never be
  /// one of it, and names one that may have been meant.
  void require_possible(const std::string& key, const std::vector<std::string>& possible) const;

  /// The value of keys()[i], or null.
  using Lookup = std::function<const FactValue*(std::size_t i)>;
  bool matches(const Lookup& lookup) const;

  struct Node;

 private:
  friend class FilterParser;
  Filter();
  std::string text_;
  std::vector<std::string> keys_;
  std::vector<std::size_t> places_;  ///< in the text, of each key
  std::unique_ptr<Node> root_;
};

/// A key that may have been meant by `word`: one that ends in it ("lr" of train.optimizer.lr), or is spelt like it; ""
/// when none is near.
std::string near_key(const std::string& word, const std::vector<std::string>& known);

}  // namespace nephron::host
