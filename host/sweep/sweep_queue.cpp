#include <host/sweep/sweep_queue.hpp>

#include <nephron/error.hpp>

#include <host/config/load.hpp>
#include <host/queue/host_file.hpp>
#include <host/sweep/sweep_program.hpp>
#include <host/util/counted.hpp>
#include <host/util/shell_word.hpp>

namespace nephron::host {

bool is_sweep_file(const std::filesystem::path& file, const std::vector<std::string>& overrides) try {
  Diagnostics told_later;
  return resolve_experiment(file, overrides, told_later).find("sweep") != nullptr;
} catch (const Error&) {
  return false;
}

std::vector<std::string> sweep_command(const SweepFolder& sweep, const std::string& device) {
  return {sweep_program(sweep).string(), "sweep", "resume", sweep.path().string(), "--queued", "--device", device};
}

std::vector<std::string> put_in_line(const SweepFolder& sweep, const Submission& each, int jobs) {
  const HostFile host = read_host();
  const std::string device = device_of(request_of(each, host.machine), host.machine);
  sweep.withdraw_stop();
  Submission job = each;
  if (job.name.empty()) job.name = sweep.plan().name;
  job.first = sweep_command(sweep, device);
  job.again = job.first;
  std::vector<std::string> out;
  for (int i = 0; i < jobs; ++i) try {
      out.push_back(submit_command(job));
    } catch (const Error& e) {
      throw Error("the queue did not take the sweep: " + std::string(e.what()),
                  (e.hint().empty() ? "" : e.hint() + " ") +
                      (out.empty() ? "" : counted(out.size(), "process", "processes") + " of it stand in line. ") +
                      "Without a queue: nephron sweep resume " + shell_word(sweep.path().string()));
    }
  return out;
}

}  // namespace nephron::host
