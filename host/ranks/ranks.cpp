#include <host/ranks/ranks.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <thread>

#include <unistd.h>

#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <host/cuda/nccl.hpp>
#include <host/device/device.hpp>
#include <host/ranks/gloo_group.hpp>
#include <host/ranks/rank_error.hpp>
#include <host/ranks/watch.hpp>
#include <host/util/files.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using Store = c10::intrusive_ptr<c10d::Store>;

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

std::string first_line(const std::exception& e) {
  const std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

std::string rank_text(int rank, int count) { return "rank " + std::to_string(rank) + " of " + std::to_string(count); }

std::string machine() {
  char name[256] = "?";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// As many tensors as fit into a message; a message of many small ones costs as one.
constexpr std::int64_t message_bytes = 32 << 20;

std::vector<std::vector<at::Tensor>> messages_of(const std::vector<at::Tensor>& tensors) {
  std::vector<std::vector<at::Tensor>> out;
  std::int64_t bytes = 0;
  for (const at::Tensor& t : tensors) {
    const auto more = static_cast<std::int64_t>(t.nbytes());
    if (out.empty() || !out.back().front().options().type_equal(t.options()) || bytes + more > message_bytes) {
      out.emplace_back();
      bytes = 0;
    }
    out.back().push_back(t);
    bytes += more;
  }
  return out;
}

at::Tensor joined(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> flat;
  for (const at::Tensor& t : tensors) flat.push_back(t.detach().reshape({-1}));
  return flat.size() == 1 ? flat[0].clone() : at::cat(flat);
}

void take_apart(const at::Tensor& flat, const std::vector<at::Tensor>& to) {
  std::int64_t at = 0;
  for (const at::Tensor& t : to) {
    t.detach().copy_(flat.narrow(0, at, t.numel()).view(t.sizes()));
    at += t.numel();
  }
}

}  // namespace

struct Ranks::State {
  State(const RankPlace& p, c10::Device d, const RankTimes& t, const EndOfRank& end_of);
  Store connect() const;
  void gather_names(const EndOfRank& end_of);
  void require_all_there(const EndOfRank& end_of) const;
  c10d::Backend& group(const at::Tensor& tensor) const { return tensor.device().is_cpu() ? *gloo : *nccl; }
  template <class Work>
  void together(const char* doing, const Work& work) const;

  RankPlace place;
  c10::Device device;
  RankTimes times;
  std::vector<std::string> names;
  c10::intrusive_ptr<c10d::TCPStore> server;  ///< of rank 0; outlives every connection
  Store store;
  c10::intrusive_ptr<c10d::Backend> gloo, nccl;
  mutable std::optional<RankWatch> watch;
  mutable std::int64_t meetings = 0;
};

/// A store that all ranks reach. Ranks of another start at the same address see none of its keys. Tried again and again
/// until whoever has it is there, so that Ctrl-C is heard in between.
Store Ranks::State::connect() const {
  c10d::TCPStoreOptions options;
  options.port = place.port;
  options.numWorkers = static_cast<std::size_t>(place.count);
  options.waitWorkers = false;
  options.timeout = std::min<std::chrono::milliseconds>(times.start, 3s);
  options.isServer = false;
  const auto begin = clock::now();
  while (true) {
    try {
      auto reached = c10::make_intrusive<c10d::TCPStore>(place.address, options);
      reached->setTimeout(times.start);
      return c10::make_intrusive<c10d::PrefixStore>("nephron/" + place.round, std::move(reached));
    } catch (const std::exception&) {
      if (interrupted()) throw Cancelled();
      if (clock::now() - begin > times.start) throw;
    }
    std::this_thread::sleep_for(100ms);
  }
}

Ranks::State::State(const RankPlace& p, c10::Device d, const RankTimes& t, const EndOfRank& end_of)
    : place(p), device(d), times(t) {
  // What it says of a broken connection, with a trace of its calls, is said by what is thrown.
  constexpr int fatal = 3;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = fatal;
  const std::string where = place.address + ":" + std::to_string(place.port);
  try {
    if (place.rank == 0 && !place.store_is_there) {
      c10d::TCPStoreOptions options;
      options.port = place.port;
      options.isServer = true;
      options.numWorkers = static_cast<std::size_t>(place.count);
      options.waitWorkers = false;
      options.timeout = times.start;
      server = c10::make_intrusive<c10d::TCPStore>(place.address, options);
    }
    store = connect();
    gather_names(end_of);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw Error(rank_text(place.rank, place.count) + " cannot meet the others at " + where + ": " + first_line(e),
                "Is the address reachable from every machine, and the port free? " + place.starter +
                    " takes both from MASTER_ADDR and MASTER_PORT.");
  }
  watch.emplace(connect(), place.rank, names, times.silence, times.grace);
  together("joining", [&] {
    gloo = gloo_group(c10::make_intrusive<c10d::PrefixStore>("gloo", store), place.rank, place.count, times.collective);
    if (device.is_cuda())
      nccl = nccl_group(
          {c10::make_intrusive<c10d::PrefixStore>("nccl", store), place.rank, place.count, times.collective, device});
  });
}

void Ranks::State::require_all_there(const EndOfRank& end_of) const {
  for (int r = 0; end_of && r < place.count; ++r)
    if (const auto end = end_of(r)) throw Error(rank_text(r, place.count) + " ended before the ranks met: " + *end);
}

void Ranks::State::gather_names(const EndOfRank& end_of) {
  const auto key = [](int rank) { return "name/" + std::to_string(rank); };
  store->set(key(place.rank), bytes(rank_text(place.rank, place.count) + " (" + machine() + ", process " +
                                    std::to_string(::getpid()) + ")"));
  const auto begin = clock::now();
  auto next = begin + 10s;  // to say what is waited for
  for (int r = 0; r < place.count; ++r) {
    while (!store->check({key(r)})) {
      if (interrupted()) throw Cancelled();
      require_all_there(end_of);
      if (clock::now() - begin > times.start)
        throw Error(rank_text(r, place.count) + " did not start within " +
                        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(times.start).count()) + " s",
                    "Look at what it printed; every rank has to be started with the same address and port.");
      if (clock::now() > next) {
        next = clock::now() + 60s;
        log().info("waiting for " + rank_text(r, place.count));
      }
      std::this_thread::sleep_for(50ms);
    }
    const auto text = store->get(key(r));
    names.emplace_back(text.begin(), text.end());
  }
}

/// What it throws says who is gone.
template <class Work>
void Ranks::State::together(const char* doing, const Work& work) const {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    const std::string why = watch->explain();
    throw RankError(
        rank_text(place.rank, place.count) + " cannot go on " + doing + ": " + why + " (" + first_line(e) + ")",
        "The last checkpoint is whole: when this is mended, go on with --resume, with as many ranks as "
        "there are then.");
  }
}

Ranks::Ranks(const RankPlace& place, c10::Device device, const RankTimes& times, const EndOfRank& end_of)
    : state_(std::make_unique<State>(place, device, times, end_of)) {}
Ranks::~Ranks() = default;

int Ranks::rank() const noexcept { return state_->place.rank; }
int Ranks::here() const noexcept { return state_->place.local_count; }
int Ranks::count() const noexcept { return state_->place.count; }
const std::string& Ranks::name() const noexcept { return state_->names[static_cast<std::size_t>(rank())]; }

struct SumOnTheWay::State {
  struct Message {
    std::vector<at::Tensor> to;
    at::Tensor flat;
    c10::intrusive_ptr<c10d::Work> work;
  };
  Ranks::State& ranks;
  std::vector<Message> messages;
};

SumOnTheWay::SumOnTheWay(std::unique_ptr<State> state) : state_(std::move(state)) {}
SumOnTheWay::~SumOnTheWay() = default;
SumOnTheWay::SumOnTheWay(SumOnTheWay&&) noexcept = default;
SumOnTheWay& SumOnTheWay::operator=(SumOnTheWay&&) noexcept = default;

namespace {
constexpr const char* summing = "summing over the ranks";
}

void SumOnTheWay::arrive() {
  state_->ranks.together(summing, [&] {
    for (const State::Message& message : state_->messages) {
      message.work->wait();
      take_apart(message.flat, message.to);
    }
  });
}

SumOnTheWay Ranks::begin_sum(const std::vector<at::Tensor>& tensors) const {
  auto out = std::make_unique<SumOnTheWay::State>(SumOnTheWay::State{*state_, {}});
  state_->together(summing, [&] {
    for (auto& message : messages_of(tensors)) {
      std::vector<at::Tensor> flat{joined(message)};
      auto work = state_->group(flat[0]).allreduce(flat);
      out->messages.push_back({std::move(message), flat[0], std::move(work)});
    }
  });
  return SumOnTheWay(std::move(out));
}

void Ranks::sum(const std::vector<at::Tensor>& tensors) const { begin_sum(tensors).arrive(); }

void Ranks::share(const std::vector<at::Tensor>& tensors) const {
  state_->together("sharing what rank 0 has", [&] {
    for (const auto& message : messages_of(tensors)) {
      std::vector<at::Tensor> flat{joined(message)};
      state_->group(flat[0]).broadcast(flat)->wait();
      if (!first()) take_apart(flat[0], message);
    }
  });
}

std::string Ranks::share(const std::string& text) const {
  const at::Tensor size = at::full({1}, static_cast<std::int64_t>(text.size()), at::kLong);
  share(std::vector<at::Tensor>{size});
  const at::Tensor content = at::empty({size.item<std::int64_t>()}, at::kByte);
  if (first()) std::copy(text.begin(), text.end(), content.mutable_data_ptr<std::uint8_t>());
  if (content.numel() > 0) share(std::vector<at::Tensor>{content});
  const auto* const from = content.const_data_ptr<std::uint8_t>();
  return {from, from + content.numel()};
}

at::Tensor Ranks::gather(const at::Tensor& own) const {
  at::Tensor flat = own.detach().contiguous().view({-1});
  at::Tensor all = at::empty({count() * flat.numel()}, flat.options());
  if (flat.numel() > 0)
    state_->together("gathering from the ranks", [&] { state_->group(flat)._allgather_base(all, flat)->wait(); });
  std::vector<std::int64_t> sizes{count()};
  sizes.insert(sizes.end(), own.sizes().begin(), own.sizes().end());
  return all.view(sizes);
}

bool Ranks::any(bool own) const {
  const at::Tensor flag = at::full({1}, own ? 1 : 0, at::kInt);
  sum({flag});
  return flag.item<int>() > 0;
}

namespace {

/// The first line that is another one; "" where the texts are the same.
std::string first_difference(const std::string& first, const std::string& own) {
  std::istringstream a(first), b(own);
  std::string there, here;
  while (true) {
    const bool more_a = static_cast<bool>(std::getline(a, there)), more_b = static_cast<bool>(std::getline(b, here));
    if (!more_a && !more_b) return {};
    if (!more_a) there = "nothing more";
    if (!more_b) here = "nothing more";
    if (there != here) return ": \"" + here + "\" there, \"" + there + "\" here";
  }
}

}  // namespace

std::string Ranks::line_of_rank(const std::string& own, int rank) const {
  constexpr std::int64_t most = 240;
  const at::Tensor mine = at::zeros({most}, at::kByte);
  std::copy_n(own.begin(), std::min<std::size_t>(own.size(), most), mine.mutable_data_ptr<std::uint8_t>());
  const at::Tensor line = gather(mine)[rank].contiguous();
  const auto* const from = line.const_data_ptr<std::uint8_t>();
  return {from, std::find(from, from + most, std::uint8_t{0})};
}

void Ranks::require_alike(const std::string& what, const std::string& text) const {
  const std::string digest = sha256_of_text(text);
  at::Tensor own = at::empty({static_cast<std::int64_t>(digest.size())}, at::kByte);
  std::copy(digest.begin(), digest.end(), own.mutable_data_ptr<std::uint8_t>());
  const at::Tensor all = gather(own);
  int other = 1;
  while (other < count() && all[other].equal(all[0])) ++other;
  if (other >= count()) return;
  const std::string where = line_of_rank(first_difference(share(text), text), other);
  throw Error(what + " is another one on " + state_->names[static_cast<std::size_t>(other)] + " than on " +
                  state_->names[0] + where,
              "Ranks train one model together: all are started with one command, one file and the same slides. "
              "Processes that belong to each other in no way are started with --alone.");
}

void Ranks::meet() const {
  state_->together("waiting for the others", [&] {
    const std::string key = "meeting/" + std::to_string(state_->meetings++);
    std::int64_t here = state_->store->add(key, 1);
    for (auto pause = 1ms; here < count(); pause = std::min<std::chrono::milliseconds>(2 * pause, 250ms)) {
      std::this_thread::sleep_for(pause);
      if (const auto failure = state_->watch->failure()) throw std::runtime_error(*failure);
      here = state_->store->add(key, 0);
    }
  });
}

std::string Ranks::fail(const std::string& why) const { return state_->watch->fail(why); }

c10::Device device_of_rank(const std::string& text, const RankPlace& place) {
  const c10::Device asked = parse_device(text);
  if (asked.is_cpu() || text.starts_with("cuda:")) {
    if (!asked.is_cpu())
      throw UsageError("--device " + text + " gives all ranks one device",
                       "--device cuda gives each rank of a machine its own.");
    return asked;
  }
  const int count = at::detail::getCUDAHooks().deviceCount();
  // Whoever starts ranks may show each its own device alone.
  if (count == 1) return asked;
  if (place.local >= count)
    throw Error(rank_text(place.rank, place.count) + " is number " + std::to_string(place.local) +
                    " of its machine, which has " + std::to_string(count) + " CUDA devices",
                "Start as many ranks on a machine as it has devices.");
  return c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(place.local));
}

void Ranks::leave() {
  meet();
  // Who holds the store goes last.
  state_->watch->stop();
  constexpr auto patience = 30s;
  const auto end = clock::now() + patience;
  try {
    std::int64_t gone = state_->store->add("left", 1);
    while (first() && gone < count() && clock::now() < end) {
      std::this_thread::sleep_for(10ms);
      gone = state_->store->add("left", 0);
    }
  } catch (const std::exception&) {  // the others are gone already
  }
}

}  // namespace nephron::host
