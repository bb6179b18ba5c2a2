#pragma once

#include <string>
#include <vector>

#include <host/queue/scene.hpp>

namespace nephron::host {

/// What `nephron queue` shows.
struct QueueTable {
  struct Row {
    SceneJob job;
    std::string state;  ///< "waiting", "running", "stopping", ...
    std::string why;
    double seconds = 0;            ///< since it is so
    std::optional<double> left;    ///< of one that runs
    std::optional<double> starts;  ///< in so many seconds, were no more to come
  };
  std::vector<Row> rows;
  std::map<std::string, double> use;
  std::vector<std::string> problems;
  Moment now;
};

QueueTable make_queue_table(const Scene& scene, const HostFile& host);
void add_ended(QueueTable& table, std::vector<SceneJob> ended);
std::string to_text(const QueueTable& table);
std::string to_json(const QueueTable& table);

/// What the machine has, and what of it is free.
std::string text_of(const HostFile& host, const Scene& scene);

}  // namespace nephron::host
