#include <host/cli/light/slurm_options.hpp>

#include <host/queue/parts.hpp>
#include <host/slurm/slurm_submit.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

void SlurmOptions::add_to(CLI::App& command) {
  const char* const group = "Slurm";
  command.add_option("--via", via, "queue: this machine's own; slurm: sbatch, for a cluster")
      ->check(CLI::IsMember({"queue", "slurm"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--partition", partition, "As of sbatch")->group(group);
  command.add_option("--time", time, "As of sbatch; what can go on is put in line again at its end")->group(group);
  command.add_option("--memory", memory, "Of the node, as sbatch --mem [what the cluster gives]")
      ->type_name("SIZE such as 32G")
      ->group(group);
  command.add_option("--gres", gres, "As of sbatch, in place of --gpus: gpu:a100:1, shard:4")->group(group);
  command.add_option("--device", device, "On which a training computes [cuda where it has a GPU, else cpu]")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->group(group);
  command
      .add_option("--over-slides", over_slides,
                  "nephron prepare and predict as an array of so many tasks, each with a share of the slides")
      ->check(CLI::Range(1, 10000))
      ->type_name("TASKS")
      ->group(group);
  command.add_option("--sbatch", more, "Any other option of sbatch: --sbatch=--account=lab; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("OPTION")
      ->group(group);
}

void SlurmOptions::require_asked() const {
  const std::pair<const char*, bool> given[] = {{"--partition", !partition.empty()}, {"--time", !time.empty()},
                                                {"--memory", !memory.empty()},       {"--gres", !gres.empty()},
                                                {"--device", !device.empty()},       {"--over-slides", over_slides > 0},
                                                {"--sbatch", !more.empty()}};
  for (const auto& [name, is_given] : given)
    if (is_given && !asked())
      throw UsageError(std::string(name) + " is of Slurm, and this machine's own queue was asked",
                       "Give --via slurm too.");
}

void SlurmOptions::apply(int gpus, SlurmJob& job) const {
  job.partition = partition;
  job.time = time;
  job.more = more;
  if (!memory.empty()) {
    const auto bytes = bytes_of(memory);
    if (!bytes) throw UsageError("--memory " + memory + ": a size such as 32G or 512M was expected");
    job.memory_bytes = *bytes;
  }
  if (!gres.empty() && gpus >= 0)
    throw UsageError("--gres says in Slurm's words what --gpus says; one of them is enough");
  if (!gres.empty()) job.gres = gres;
  else if (gpus > 0) job.gres = "gpu:" + std::to_string(gpus);
  else if (gpus < 0) job.gres = usual_gres(partition);
}

std::string SlurmOptions::device_for(const SlurmJob& job) const {
  if (!device.empty()) return device;
  return job.gres.empty() ? "cpu" : "cuda";
}

}  // namespace nephron::host
