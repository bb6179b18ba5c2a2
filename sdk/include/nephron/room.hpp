#pragma once

#include <memory>
#include <utility>

#include <nephron/export.hpp>

namespace nephron {

/// Room for what a later version adds to a type that crosses between host and plugin by value or in a vector. The size
/// of such a type is compiled into every plugin, so its fields are these for as long as the major version is; what
/// comes after lives in the SDK's library, behind accessors, and this is how it travels: whoever copies the type copies
/// it, a plugin too that was built before it was thought of. Costs one pointer, which is null until such a field is
/// set.
///
/// Every struct of the SDK that crosses ends in a Room, or says "Closed" and why; a test reads the headers for it.
class NEPHRON_API Room {
 public:
  /// The later fields of one type: a class of the SDK's library alone.
  class NEPHRON_API Later {
   public:
    virtual ~Later();
    virtual std::unique_ptr<Later> clone() const = 0;
  };

  constexpr Room() noexcept = default;
  Room(const Room& other) : later_(other.later_ == nullptr ? nullptr : copy(*other.later_)) {}
  Room(Room&& other) noexcept : later_(std::exchange(other.later_, nullptr)) {}
  Room& operator=(Room other) noexcept {
    std::swap(later_, other.later_);
    return *this;
  }
  constexpr ~Room() {
    if (later_ != nullptr) drop(later_);
  }

  // For the accessors of later fields.
  const Later* later() const noexcept { return later_; }
  Later* later() noexcept { return later_; }
  void keep(std::unique_ptr<Later> later) noexcept;

 private:
  static Later* copy(const Later& later);
  static void drop(Later* later) noexcept;

  Later* later_ = nullptr;
};

}  // namespace nephron
