#pragma once

namespace nephron::host {

/// Ctrl-C (SIGINT) and SIGTERM set a flag; a second one ends the program at once with exit code 130.
void catch_interrupts();
bool interrupted() noexcept;
/// For tests, and for the check that follows finished work.
void set_interrupted(bool value) noexcept;

}  // namespace nephron::host
