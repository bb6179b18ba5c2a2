#pragma once

#include <string>

#include <nephron/error.hpp>

namespace nephron {

/// What the Error thrown by `call` says; "no error" when none is thrown.
template <class F>
std::string error_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// The same, with its hint behind " | ".
template <class F>
std::string error_and_hint_of(F&& call) {
  try {
    call();
  } catch (const Error& e) {
    return std::string(e.what()) + " | " + e.hint();
  }
  return "no error";
}

}  // namespace nephron
