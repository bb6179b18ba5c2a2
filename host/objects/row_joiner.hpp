#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nephron::host {

/// Whether pixels that share no more than a corner hang together.
enum class Corners : std::uint8_t { apart, join };

/// Joins the runs of a mask that is shown row by row to connected parts. A `Part` keeps what is wanted of one: it is
/// made empty, and has add(y, first, end, ...) and join(Part&&). A part that the next row does not touch is closed and
/// handed out, so that two rows' runs and the open parts are all that is held.
template <class Part, Corners corners = Corners::join>
class RowJoiner {
 public:
  /// Rows come in rising order; one that is not begun is empty. closed(Part&&) is given what this row cannot touch.
  template <class Closed>
  void begin_row(std::int64_t y, Closed&& closed) {
    end_row(closed);
    if (y != y_ + 1) {
      here_.clear();
      end_row(closed);
    }
    y_ = y;
  }

  /// The next run of the row, to the right of those before it, which it does not touch. `more` is handed to Part::add.
  template <class... More>
  void add(std::int64_t first, std::int64_t end, const More&... more) {
    constexpr std::int64_t reach = corners == Corners::join ? 0 : 1;
    while (next_above_ < above_.size() && above_[next_above_].end < first + reach) ++next_above_;
    std::size_t slot = none;
    for (std::size_t i = next_above_; i < above_.size() && above_[i].first <= end - reach; ++i) {
      const std::size_t other = root(above_[i].slot);
      if (slot == none) slot = other;
      else if (slot != other) merge(slot, other);
    }
    if (slot == none) slot = new_slot();
    slots_[slot].part.add(y_, first, end, more...);
    slots_[slot].last = y_;
    here_.push_back({first, end, slot});
  }

  template <class Visit>
  void for_each_open(Visit&& visit) const {
    for (const Slot& slot : slots_)
      if (slot.open) visit(slot.part);
  }

  /// Closes what is open, in no particular order.
  template <class Closed>
  void finish(Closed&& closed) {
    end_row(closed);
    here_.clear();
    end_row(closed);
    y_ = before_all;
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  static constexpr std::int64_t before_all = -2;
  struct Piece {
    std::int64_t first, end;
    std::size_t slot;
  };
  struct Slot {
    Part part;
    std::size_t parent = 0;
    std::int64_t last = 0;  ///< row of its last run
    bool open = false;
  };

  std::size_t root(std::size_t slot) const {
    while (slots_[slot].parent != slot) slot = slots_[slot].parent;
    return slot;
  }

  std::size_t new_slot() {
    std::size_t slot = slots_.size();
    if (free_.empty()) slots_.emplace_back();
    else slot = free_.back(), free_.pop_back();
    slots_[slot].parent = slot;
    slots_[slot].open = true;
    return slot;
  }

  void merge(std::size_t into, std::size_t from) {
    slots_[from].parent = into;
    slots_[into].part.join(std::move(slots_[from].part));
    slots_[from].part = Part();
    slots_[from].open = false;
    merged_.push_back(from);
  }

  /// The row is complete: what was open above and is not in it is closed, and it becomes the row above.
  template <class Closed>
  void end_row(Closed&& closed) {
    for (Piece& piece : here_) piece.slot = root(piece.slot);
    const std::int64_t row = here_.empty() ? before_all : y_;
    for (const Piece& piece : above_) {
      const std::size_t slot = root(piece.slot);
      if (!slots_[slot].open || slots_[slot].last == row) continue;
      slots_[slot].open = false;
      closed(std::move(slots_[slot].part));
      slots_[slot].part = Part();
      closed_.push_back(slot);
    }
    // No piece points at these any longer.
    free_.insert(free_.end(), merged_.begin(), merged_.end());
    free_.insert(free_.end(), closed_.begin(), closed_.end());
    merged_.clear(), closed_.clear();
    std::swap(above_, here_);
    here_.clear();
    next_above_ = 0;
  }

  std::int64_t y_ = before_all;
  std::vector<Piece> above_, here_;
  std::size_t next_above_ = 0;  ///< the first piece above that may touch the next one
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_, merged_, closed_;
};

}  // namespace nephron::host
