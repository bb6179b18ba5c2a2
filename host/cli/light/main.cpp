// nephron: what a person starts. Loading LibTorch takes a third of a second, so what needs it is a program of its own
// (main.cpp of the folder above), which this one becomes for every command that is not among those of this folder.
#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <nephron/error.hpp>

#include <host/cli/command.hpp>
#include <host/cli/light/computing_program.hpp>
#include <host/cli/program.hpp>
#include <host/util/current_call.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace {

bool begins_with_dash(const char* word) { return word[0] == '-'; }

/// The first word that is no option; "" where there is none.
std::string command_of(const std::vector<char*>& words) {
  const auto command = std::find_if_not(words.begin(), words.end(), begins_with_dash);
  return command == words.end() ? "" : *command;
}

/// "help" and "help COMMAND..." as "--help" and "COMMAND... --help".
void take_help(std::vector<char*>& words) {
  static char flag[] = "--help";
  const auto help = std::find_if_not(words.begin(), words.end(), begins_with_dash);
  if (help == words.end() || std::strcmp(*help, "help") != 0) return;
  words.erase(help);
  words.push_back(flag);
}

bool is_own(const std::string& name) {
  return std::any_of(commands().begin(), commands().end(), [&](const Command& own) { return name == own.name; });
}

int run(std::vector<char*> words, char* program) {
  take_help(words);
  const std::string command = command_of(words);
  const ComputingProgram computing;
  std::vector<ListedCommand> others;
  if (command.empty() || !is_own(command)) others = computing.commands();
  words.insert(words.begin(), program);
  words.push_back(nullptr);
  if (std::any_of(others.begin(), others.end(), [&](const ListedCommand& other) { return other.name == command; }) ||
      (command == "torch" && computing.has_launcher()))
    computing.become(words.data());
  return run_program(static_cast<int>(words.size()) - 1, words.data(), others);
}

}  // namespace

}  // namespace nephron::host

int main(int argc, char** argv) {
  using namespace nephron::host;
  try {
    catch_interrupts();
    catch_crashes();
    return run({argv + std::min(argc, 1), argv + argc}, argv[0]);
  } catch (const nephron::Error& e) {
    log().error(e.what() + (e.hint().empty() ? "" : "\n  " + e.hint()));
  } catch (const std::exception& e) {
    log().error(e.what());
  }
  return Exit::failed;
}
