#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <nephron/plugin.hpp>

#include <conformance/conformance.hpp>

// Components with one fault each, which exactly one check must find.
namespace nephron::conformance {

/// A component that breaks one promise: the check that notices, and words of what it says.
struct Fault {
  std::string check;
  std::string says;
  Subject subject;
};

/// Of one kind: components that keep every promise, and such that break one.
struct Fixture {
  std::vector<Subject> good;
  std::vector<Fault> faults;
};

/// Faults of parameters and constructors, which components of every kind can have.
Fixture any_fixture();
Fixture reader_fixture();
Fixture dataset_fixture();
/// One that says nothing of a slide that it calls annotated, which may be right.
Subject dataset_to_note();
Fixture sampler_fixture();
Fixture augmentation_fixture();
Fixture batch_augmentation_fixture();
Fixture encoder_fixture();
Fixture decoder_fixture();
Fixture loss_fixture();
Fixture metric_fixture();

/// Stands in for a CUDA device: another name, which a component sees in its context, for the same arithmetic.
inline constexpr const char* other_device = "cpu:0";

template <class Base, class Class>
Subject subject_of(std::string name) {
  Subject s;
  s.kind = Base::kind;
  s.name = std::move(name);
  s.schema = &detail::OpsOf<Base, Class>::schema();
  s.create = &detail::OpsOf<Base, Class>::create;
  s.cuda = other_device;
  return s;
}

/// True for every second instance: for what differs between two that should be equal.
class EverySecond {
 public:
  explicit EverySecond(std::atomic<int>& counter) : odd_(counter++ % 2 == 1) {}
  operator bool() const noexcept { return odd_; }  // NOLINT: read as a flag

 private:
  bool odd_;
};

/// Keeps what it is given where another thread overwrites it: what scratch space in a member does.
template <class T>
class SharedScratch {
 public:
  T through(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  T value_{};
};

/// True in every second call of a component that was made for the other device.
class WrongThere {
 public:
  explicit WrongThere(const Context& context) : there_(context.device() != "cpu") {}
  bool operator()() { return there_ && calls_++ % 2 == 1; }

 private:
  bool there_;
  std::atomic<int> calls_ = 0;
};

}  // namespace nephron::conformance
