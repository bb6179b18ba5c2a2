#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include <host/ranks/place.hpp>

namespace nephron::host {

struct RankTimes {
  /// How long ranks wait for the last of them to start.
  std::chrono::milliseconds start = std::chrono::minutes(10);
  /// How long a rank may not be heard of before the others give up.
  std::chrono::milliseconds silence = std::chrono::seconds(60);
  /// How long one that is heard of may keep the others waiting in a collective. meet() waits for ever.
  std::chrono::milliseconds collective = std::chrono::minutes(30);
  /// How long a process may take to end when another rank is gone, before it is ended.
  std::chrono::milliseconds grace = std::chrono::seconds(30);
};

/// How the process of a rank ended, where that is known here; nothing: it is there, or nobody here knows.
using EndOfRank = std::function<std::optional<std::string>(int rank)>;

/// Sums over the ranks that are under way. Dropped before they arrive, they change nothing here.
class SumOnTheWay {
 public:
  struct State;
  explicit SumOnTheWay(std::unique_ptr<State> state);
  ~SumOnTheWay();
  SumOnTheWay(SumOnTheWay&&) noexcept;
  SumOnTheWay& operator=(SumOnTheWay&&) noexcept;
  /// Waits for them, and puts them in place. Throws as Ranks::sum().
  void arrive();

 private:
  std::unique_ptr<State> state_;
};

/// The processes that train one model together, through LibTorch's c10d: Gloo for tensors on the CPU, NCCL for those on
/// a CUDA device. All ranks make the same calls in the same order. Every call throws RankError that says who is gone,
/// when another rank is. Of one thread.
class Ranks {
 public:
  /// Waits until all are there. `device`: of this rank. `end_of`: asked while it waits, so that nobody is waited for
  /// who is gone. Throws Error when they do not come, or do not fit together.
  Ranks(const RankPlace& place, c10::Device device, const RankTimes& times = {}, const EndOfRank& end_of = {});
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int rank() const noexcept;
  int count() const noexcept;
  bool first() const noexcept { return rank() == 0; }
  /// Ranks of this machine, as far as whoever started them says.
  int here() const noexcept;
  /// "rank 1 of 2 (HOST, process 1234)"
  const std::string& name() const noexcept;

  /// Sums over the ranks, in place. Tensors of any form and one device; several of them travel together.
  void sum(const std::vector<at::Tensor>& tensors) const;
  /// The same, which goes on while this rank does other things; the tensors stay as they are until it arrives.
  SumOnTheWay begin_sum(const std::vector<at::Tensor>& tensors) const;
  /// Gives every rank what rank 0 has, in place.
  void share(const std::vector<at::Tensor>& tensors) const;
  /// What rank 0 has.
  std::string share(const std::string& text) const;
  /// What each rank has, of the same form: [count, ...].
  at::Tensor gather(const at::Tensor& own) const;
  /// Whether it is true of any rank.
  bool any(bool own) const;
  /// Throws Error where `text` is not the same on all ranks: "WHAT is another one on rank 1 of 2 (...)", with
  /// the first line that differs.
  void require_alike(const std::string& what, const std::string& text) const;
  /// Waits until all ranks are here, however long it takes, as long as they live.
  void meet() const;

  /// Tells the others that this rank ends with an error. What rank 0 says of its own end, where it does within seconds.
  std::string fail(const std::string& why) const;
  /// Ends well, together with the others. Nothing else may be called afterwards.
  void leave();

 private:
  /// What a rank has, of which the others may have something else; a long line's beginning.
  std::string line_of_rank(const std::string& own, int rank) const;

  friend class SumOnTheWay;
  struct State;
  std::unique_ptr<State> state_;
};

/// The device of a rank: "auto" and "cuda" are the one of its place on the machine. Throws Error as parse_device(), and
/// where the machine has too few.
c10::Device device_of_rank(const std::string& text, const RankPlace& place);

}  // namespace nephron::host
