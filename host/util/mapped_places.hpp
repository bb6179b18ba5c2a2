#pragma once

#include <cstddef>

namespace nephron::host {

// Which file lies at an address, for the handler of fatal signals: a file that another program cuts short, or whose
// disk fails, takes its pages away from whoever has mapped it.

/// `file` is copied. More than some thousands of files at a time are not known.
void note_mapping(const void* at, std::size_t size, const char* file) noexcept;
void forget_mapping(const void* at) noexcept;
/// Null where none is known. Calls nothing, and so may be asked by a signal handler.
const char* mapped_file_at(const void* address) noexcept;

/// What a person does when such a file is whole again; said behind the error. The text is copied.
void set_mapping_advice(const char* advice) noexcept;
const char* mapping_advice() noexcept;  ///< "" when none was set

}  // namespace nephron::host
