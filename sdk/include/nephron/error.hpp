#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <nephron/export.hpp>
#include <nephron/room.hpp>

namespace nephron {

/// What a plugin throws when it cannot go on, and what the host shows to a person.
/// `message`: one sentence of what is wrong, with what was expected. `hint`: what to do about it, may be empty.
class NEPHRON_API Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, std::string hint = {});
  ~Error() override;
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string hint_;
  Room room_;
};

/// Thrown by long work that noticed Context::cancelled().
class NEPHRON_API Cancelled : public Error {
 public:
  Cancelled();
  ~Cancelled() override;
};

}  // namespace nephron
