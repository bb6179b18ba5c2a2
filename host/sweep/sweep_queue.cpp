#include <host/sweep/sweep_queue.hpp>

#include <nephron/error.hpp>

#include <host/util/child_process.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>

namespace nephron::host {

namespace {

/// The first line that is no line of the log.
std::string id_in(const std::string& output) {
  const std::size_t stop = output.find('\n');
  return output.substr(0, stop);
}

}  // namespace

std::vector<std::string> put_in_line(const SweepFolder& sweep, int jobs) {
  const std::vector<std::string> command{
      program_file().string(), "submit",  "--name", sweep.plan().name, "--", "nephron", "sweep", "resume",
      sweep.path().string(),   "--queued"};
  std::vector<std::string> out;
  for (int i = 0; i < jobs; ++i) {
    ChildProcess child(command, [](std::string_view) {});
    ChildProcess* const children[] = {&child};
    while (!child.ended()) {
      ChildProcess::listen(children, 100);
      if (interrupted()) throw Cancelled();
    }
    if (child.end().signal != 0 || child.end().code != 0) {
      print_error(child.end().output);
      throw Error(
          "the queue did not take the sweep: nephron submit " +
              child.end().text().substr(0, child.end().text().find(';')),
          std::string(out.empty() ? "" : counted(out.size(), "process", "processes") + " of it stand in line; ") +
              "without a queue: nephron sweep resume " + sweep.path().string());
    }
    out.push_back(id_in(child.end().output));
  }
  return out;
}

}  // namespace nephron::host
