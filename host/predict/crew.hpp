#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <host/predict/picture_loop.hpp>
#include <host/util/job_plan.hpp>

namespace nephron::host {

/// Processes that predict pictures side by side (worker.hpp), each with networks of its own. Whichever is free gets the
/// next picture.
class Crew {
 public:
  /// Starts them, and waits until their networks are loaded. `command`: of this program, which they are called by too.
  /// `networks`: what each is told first (chosen_networks.hpp). `threads`: of each. Throws Error that says why one of
  /// them cannot work, and Cancelled after Ctrl-C.
  Crew(std::vector<std::string> command, std::string networks, JobPlan plan, int threads,
       std::vector<std::string> classes);
  ~Crew();

  /// As work_through() of picture_loop.hpp. A process that dies costs the picture that it was at, which orders are told
  /// of; another process takes its place.
  void work_through(PictureOrders& orders);

 private:
  class Worker;

  std::unique_ptr<Worker> begun(std::size_t place) const;
  void listen();
  void hear(Worker& worker, PictureOrders& orders);
  void deal(PictureOrders& orders);
  void bury(std::size_t place, PictureOrders& orders);
  void stop();
  bool any_at_work() const;

  std::vector<std::string> command_;
  std::string networks_;
  JobPlan plan_;
  int threads_;
  std::vector<std::string> classes_;
  std::vector<std::unique_ptr<Worker>> workers_;  ///< a place each; null: none
  std::deque<PictureFile> again_;                 ///< given to a process that died before it began them
  bool stopped_ = false;
};

}  // namespace nephron::host
