#pragma once

#include <atomic>
#include <cstddef>

namespace nephron::host {

// Which file lies at an address, for the handler of fatal signals: a file that another program cuts short, or whose
// disk fails, takes its pages away from whoever has mapped it.

/// `file` is copied. What it returns becomes true when pages of the file were gone and zeros took their place
/// (LossBearable); it is good until forget_mapping(). Null where it is not known: some thousands of files at a time
/// are.
const std::atomic<bool>* note_mapping(const void* at, std::size_t size, const char* file) noexcept;
void forget_mapping(const void* at) noexcept;
/// Null where none is known. Calls nothing, and so may be asked by a signal handler.
const char* mapped_file_at(const void* address) noexcept;

/// While it lives, this thread reads zeros where pages of a mapped file are gone, in place of ending the program.
/// Whoever makes one asks afterwards whether what was read is lost, and throws what was made of it away.
class LossBearable {
 public:
  LossBearable() noexcept;
  ~LossBearable();
  LossBearable(const LossBearable&) = delete;
  LossBearable& operator=(const LossBearable&) = delete;

 private:
  bool before_;
};

/// For the handler: puts zeros where the pages are gone, from an address to the end of its file. False where the thread
/// does not bear it.
bool bear_loss_at(const void* address) noexcept;

/// What a person does when such a file is whole again; said behind the error. The text is copied.
void set_mapping_advice(const char* advice) noexcept;
const char* mapping_advice() noexcept;  ///< "" when none was set

}  // namespace nephron::host
