#include <host/ranks/watch.hpp>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>

#include <unistd.h>

#include <host/util/log.hpp>

namespace nephron::host {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto beat = 1000ms;  ///< between two signs of life
/// Signs of life that are missing when a collective has failed already.
constexpr auto missing = 4 * beat;
/// What a store takes that answers at all.
constexpr auto answer = 3 * beat;

std::string beat_key(std::size_t rank) { return "beat/" + std::to_string(rank); }
std::string failure_key(std::size_t rank) { return "failure/" + std::to_string(rank); }
constexpr const char* failed_key = "failed";  ///< there as soon as one rank failed: its number

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }
std::string text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

struct Peer {
  std::string beat;
  clock::time_point heard = clock::now();
};

}  // namespace

/// Shared with its threads, one of which may wait for an answer that never comes.
struct RankWatch::State {
  c10::intrusive_ptr<c10d::Store> store;
  std::size_t rank;
  std::vector<std::string> names;
  std::chrono::milliseconds silence, grace;

  std::timed_mutex store_use;  ///< a store serves one thread at a time
  std::mutex mutex;
  std::condition_variable wake;
  std::vector<Peer> peers;
  clock::time_point answered = clock::now();  ///< when the store did
  std::optional<std::string> failure;
  bool stop = false, beating = true;
  std::uint64_t beats = 0;

  std::string lost_store() const {
    return "the connection to where the ranks meet broke: " + names[0] +
           ", its machine, or what started the ranks is gone";
  }
  void set_failure(const std::string& why) {
    const std::lock_guard lock(mutex);
    if (!failure) failure = why;
    wake.notify_all();
  }
  std::optional<std::string> told_failure() {
    if (!store->check({failed_key})) return std::nullopt;
    const auto who = static_cast<std::size_t>(std::stoul(text(store->get(failed_key))));
    if (who == rank) return std::nullopt;
    return names.at(who) + " ended: " + text(store->get(failure_key(who)));
  }
  /// The rank that was not heard of for longest, if that is longer than `limit`.
  std::optional<std::size_t> silent(std::chrono::milliseconds limit) {
    const std::lock_guard lock(mutex);
    std::optional<std::size_t> out;
    for (std::size_t r = 0; r < peers.size(); ++r)
      if (r != rank && clock::now() - peers[r].heard > limit && (!out || peers[r].heard < peers[*out].heard)) out = r;
    return out;
  }
  void look();
  void beat_until_stopped();
  void guard();
};

void RankWatch::State::look() {
  std::vector<std::size_t> there;
  std::vector<std::string> keys;
  std::optional<std::string> told;
  std::vector<std::vector<std::uint8_t>> heard;
  {
    const std::lock_guard use(store_use);
    store->set(beat_key(rank), bytes(std::to_string(++beats)));
    told = told_failure();
    for (std::size_t r = 0; r < names.size(); ++r)
      if (r != rank && store->check({beat_key(r)})) there.push_back(r), keys.push_back(beat_key(r));
    if (!keys.empty()) heard = store->multiGet(keys);
  }
  {
    const std::lock_guard lock(mutex);
    answered = clock::now();
    for (std::size_t i = 0; i < there.size(); ++i) {
      Peer& peer = peers[there[i]];
      if (std::string now = text(heard[i]); now != peer.beat) peer = {std::move(now), clock::now()};
    }
  }
  if (told) return set_failure(*told);
  if (const auto who = silent(silence))
    set_failure(names[*who] + " has not been heard of for " +
                std::to_string(std::chrono::duration_cast<std::chrono::seconds>(silence).count()) + " s");
}

void RankWatch::State::beat_until_stopped() {
  std::unique_lock lock(mutex);
  while (!stop && !failure) {
    lock.unlock();
    try {
      look();
    } catch (const std::exception&) {
      set_failure(lost_store());
    }
    lock.lock();
    wake.wait_for(lock, beat, [this] { return stop || failure; });
  }
  beating = false;
  wake.notify_all();
}

/// Notices a store that does not answer, and ends a process that cannot be called back from a collective.
void RankWatch::State::guard() {
  std::unique_lock lock(mutex);
  while (!stop && !failure) {
    wake.wait_for(lock, beat, [this] { return stop || failure; });
    if (!stop && !failure && clock::now() - answered > silence) failure = lost_store();
  }
  wake.notify_all();
  if (wake.wait_for(lock, grace, [this] { return stop; })) return;
  const std::string why = *failure;
  lock.unlock();
  log().error(names[rank] + " ends: " + why);
  _exit(1);
}

RankWatch::RankWatch(c10::intrusive_ptr<c10d::Store> store, int rank, std::vector<std::string> names,
                     std::chrono::milliseconds silence, std::chrono::milliseconds grace)
    : state_(std::make_shared<State>()) {
  state_->store = std::move(store);
  state_->rank = static_cast<std::size_t>(rank);
  state_->peers.resize(names.size());
  state_->names = std::move(names);
  state_->silence = silence;
  state_->grace = grace;
  std::thread([s = state_] { s->beat_until_stopped(); }).detach();
  std::thread([s = state_] { s->guard(); }).detach();
}

RankWatch::~RankWatch() { stop(); }

void RankWatch::stop() {
  std::unique_lock lock(state_->mutex);
  state_->stop = true;
  state_->wake.notify_all();
  state_->wake.wait_for(lock, answer, [this] { return !state_->beating; });
}

std::optional<std::string> RankWatch::failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failure;
}

std::string RankWatch::explain() const {
  const auto end = clock::now() + missing + 2 * beat;
  while (clock::now() < end) {
    if (const auto why = failure()) return *why;
    if (const auto who = state_->silent(missing))
      return state_->names[*who] + " is gone: it was killed, or its machine is unreachable";
    std::this_thread::sleep_for(beat / 10);
  }
  return "the connection to another rank broke";
}

std::string RankWatch::fail(const std::string& why) try {
  State& s = *state_;
  const auto locked = [&s](const auto& work) {
    const std::unique_lock use(s.store_use, answer);
    if (!use.owns_lock()) throw std::runtime_error("the store does not answer");
    work();
  };
  locked([&] {
    s.store->set(failure_key(s.rank), bytes(why));
    s.store->compareSet(failed_key, {}, bytes(std::to_string(s.rank)));
  });
  if (s.rank == 0) {  // it may hold the store: the others have to learn why before it goes
    std::this_thread::sleep_for(2 * beat);
    return {};
  }
  std::string said;
  const auto end = clock::now() + 5 * beat;
  while (said.empty() && clock::now() < end) {
    locked([&] {
      if (s.store->check({failure_key(0)})) said = text(s.store->get(failure_key(0)));
    });
    if (said.empty()) std::this_thread::sleep_for(beat / 10);
  }
  return said;
} catch (const std::exception&) {  // nobody is there to be told
  return {};
}

}  // namespace nephron::host
