#pragma once

namespace nephron::host {

/// Ctrl-C (SIGINT), SIGTERM and, unless it is ignored (nohup), SIGHUP set a flag; a second one ends the program at once
/// with exit code 130.
void catch_interrupts();
/// What the program says when it is ended so. The text is copied.
void set_last_words(const char* text) noexcept;
bool interrupted() noexcept;
/// For tests, and for the check that follows finished work.
void set_interrupted(bool value) noexcept;

}  // namespace nephron::host
