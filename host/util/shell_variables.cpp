#include <host/util/shell_variables.hpp>

#include <algorithm>
#include <array>

namespace nephron::host {

bool is_passing_variable(const std::string& name) {
  for (const char* begin : {"SSH_", "SLURM_", "TORCHELASTIC_", "NEPHRON_QUEUE_"})
    if (name.starts_with(begin)) return true;
  constexpr std::array names{"RANK",        "LOCAL_RANK",  "WORLD_SIZE", "LOCAL_WORLD_SIZE",
                             "MASTER_ADDR", "MASTER_PORT", "DISPLAY",    "TERM",
                             "STY",         "TMUX",        "SHLVL",      "_",
                             "OLDPWD"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace nephron::host
