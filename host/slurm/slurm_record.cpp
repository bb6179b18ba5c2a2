#include <host/slurm/slurm_record.hpp>

#include <algorithm>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/search.hpp>
#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::size_t most_records = 2000;
constexpr int most_task = 1000000000;

std::string text_of_record(const SlurmRecord& record) {
  const Json out{{"job", record.job},         {"tasks", record.tasks},      {"then", record.then},
                 {"name", record.name},       {"run", record.run.string()}, {"place", record.place.string()},
                 {"command", record.command}, {"goes_on", record.goes_on},  {"submitted", record.submitted}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

SlurmRecord record_in(const fs::path& file) {
  const JsonNode json = JsonNode::read(file, "Remove it: squeue still knows the job.");
  SlurmRecord out;
  out.job = json.at("job").text();
  for (const JsonNode& task : json.at("tasks").items())
    out.tasks.push_back(static_cast<int>(task.integer(0, most_task)));
  out.then = json.at("then").text();
  out.name = json.at("name").text();
  out.run = json.at("run").text();
  out.place = json.at("place").text();
  out.command = json.at("command").texts();
  out.goes_on = json.at("goes_on").boolean();
  out.submitted = json.at("submitted").text();
  return out;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 12 && text.find_first_not_of("0123456789") == std::string::npos;
}

fs::path own_record(const std::string& job) { return own_slurm_folder() / (job + ".json"); }

/// Numbers of jobs that have a record, the latest last.
std::vector<std::string> recorded_jobs() {
  std::vector<std::pair<fs::file_time_type, std::string>> all;
  std::error_code failed;
  for (fs::directory_iterator entry(own_slurm_folder(), failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const fs::path& file = entry->path();
    std::error_code gone;
    if (file.extension() == ".json" && is_number(file.stem().string()))
      all.emplace_back(entry->last_write_time(gone), file.stem().string());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::string> out;
  for (auto& [time, job] : all) out.push_back(std::move(job));
  return out;
}

void forget_oldest_records() {
  const std::vector<std::string> all = recorded_jobs();
  std::error_code ignored;
  for (std::size_t i = 0; i + most_records < all.size(); ++i) fs::remove(own_record(all[i]), ignored);
}

/// The six digits that a run's folder ends with.
bool is_id_of(const fs::path& run, const std::string& id) {
  return !id.empty() && run.filename().string().ends_with("-" + id);
}

}  // namespace

fs::path SlurmRecord::log(std::optional<int> task) const {
  return place / (job + (task ? "_" + std::to_string(*task) : "") + ".log");
}

fs::path slurm_file(const fs::path& run) { return run / "slurm.json"; }

std::optional<SlurmRecord> read_slurm_record(const fs::path& run) {
  std::error_code failed;
  if (!fs::exists(slurm_file(run), failed)) return std::nullopt;
  return record_in(slurm_file(run));
}

fs::path own_slurm_folder() {
  const fs::path data = user_data_folder();
  if (data.empty())
    throw Error("there is no folder for what Slurm's jobs leave: neither HOME nor XDG_DATA_HOME is set",
                "Set XDG_DATA_HOME to a folder that all nodes see.");
  return data / "slurm";
}

bool has_records() { return !user_data_folder().empty() && !recorded_jobs().empty(); }

void keep_record(const SlurmRecord& record) {
  const std::string text = text_of_record(record);
  std::error_code ignored;
  fs::create_directories(own_slurm_folder(), ignored);
  write_file_atomically(own_record(record.job), text);
  if (!record.run.empty()) write_file_atomically(slurm_file(record.run), text);
  forget_oldest_records();
}

std::optional<SlurmRecord> find_record(const std::string& job_or_run) try {
  std::error_code failed;
  if (is_number(job_or_run) && fs::exists(own_record(job_or_run), failed)) return record_in(own_record(job_or_run));
  std::vector<std::string> jobs = recorded_jobs();
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    const SlurmRecord record = record_in(own_record(*job));
    if (record.then == job_or_run || is_id_of(record.run, job_or_run)) return record;
  }
  return std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace nephron::host
