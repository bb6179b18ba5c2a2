#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <host/queue/moment.hpp>
#include <host/queue/parts.hpp>

// A job of the queue, as four files of its user's folder tell of it. Each has one writer at a time.
namespace nephron::host {

/// ID.ticket.json, written once by submit.
struct Ticket {
  std::string id;                  ///< six digits; of a run those of its folder
  std::string name;                ///< what people see
  std::vector<std::string> first;  ///< the command
  std::vector<std::string> again;  ///< what goes on with it after it was stopped; empty: it cannot be stopped
  std::filesystem::path folder;    ///< in which it runs
  int umask = 022;                 ///< of whoever submitted it
  std::filesystem::path run;       ///< the run that it trains; empty: none
  Request request;
  Moment submitted;

  bool may_yield() const noexcept { return !again.empty(); }
};

/// ID.state.json, written under the user's lock, mostly by the agent.
struct JobState {
  enum class At { waiting, running, held, ended };
  enum class Wish { none, yield, hold, cancel };  ///< what a running one was told to end for
  enum class How { none, finished, failed, cancelled, killed };

  At at = At::waiting;
  Wish wish = Wish::none;
  Moment since;            ///< it is so; of a running one: its slice began
  std::int64_t start = 0;  ///< how often it was started
  Parts parts;             ///< of a running one
  bool fills = false;
  Moment counted;              ///< until when its use is in the user's sum
  std::optional<double> left;  ///< seconds until its end, at `left_at`
  Moment left_at;
  std::optional<Moment> told;  ///< to end
  std::int64_t kills = 0;      ///< in a row, without progress between
  std::string progress;        ///< what was done when it was last started
  bool rests = false;          ///< it waits because it had nothing to do yet; a while after `since` it is in line
  How how = How::none;
  int code = 0;     ///< exit code of one that ended
  std::string why;  ///< one line
};

/// ID.begun.json: written by the process that keeps the job, before it starts it.
struct Begun {
  std::int64_t start = 0;
  std::int64_t keeper = 0, keeper_born = 0;  ///< its process, and when that was started, in ticks since boot
};

/// ID.end.json: by the same one, at its end.
struct End {
  std::int64_t start = 0;
  int code = 0, signal = 0;
  std::string error;  ///< why it could not be started
};

/// UID/use.json: what the user has used, each GPU-second counting half after a day.
struct UseSum {
  double seconds = 0;
  Moment at;
};

/// UID/agent.json: when the user's agent was last well.
struct Beat {
  Moment at;
};

const char* name_of(JobState::At at);
const char* name_of(JobState::How how);

std::string text_of(const Ticket& ticket);
std::string text_of(const JobState& state);
std::string text_of(const Begun& begun);
std::string text_of(const End& end);
std::string text_of(const UseSum& use);
std::string text_of(const Beat& beat);

// All throw Error that names `file` and the place for what text_of() does not give.
Ticket read_ticket(const std::string& text, const std::string& file);
JobState read_state(const std::string& text, const std::string& file);
Begun read_begun(const std::string& text, const std::string& file);
End read_end(const std::string& text, const std::string& file);
UseSum read_use(const std::string& text, const std::string& file);
Beat read_beat(const std::string& text, const std::string& file);

/// The exit code of a command that goes on, and that has nothing to do before others have come further (EX_TEMPFAIL).
inline constexpr int exit_nothing_yet = 75;

inline constexpr const char* ticket_ending = ".ticket.json";
inline constexpr const char* state_ending = ".state.json";

/// Whether a text is an id: six digits, 0 to 9 and a to f.
bool is_job_id(const std::string& text);

}  // namespace nephron::host
