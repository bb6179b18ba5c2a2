#include <host/feed/feed.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include <opencv2/core/utility.hpp>

#include <host/feed/sample_error.hpp>
#include <host/feed/sample_maker.hpp>

namespace nephron::host {

namespace {

/// Feed threads are the parallelism; OpenCV's own would only fight with them and with the training step.
void keep_opencv_single_threaded() {
  static std::once_flag once;
  std::call_once(once, [] { cv::setNumThreads(1); });
}

/// A batch that is being made. Workers hold it while they write into it, so that dropping it needs no waiting.
struct Pending {
  std::unique_ptr<RawBatch> batch;
  std::uint64_t epoch = 0;
  std::shared_ptr<const Repeats> repeats;
  std::int64_t taken = 0;  ///< samples that a worker has begun
  std::int64_t done = 0;
  std::exception_ptr error;
};

}  // namespace

struct Feed::State {
  State(const Experiment& experiment, const Registry& registry, const PreparedData& data, const FeedOptions& o)
      : options(o), maker(experiment, registry, data, o) {
    if (o.batch < 1 || o.workers < 1 || o.prefetch < 1)
      throw Error("a feed needs at least one sample a batch, one worker and one batch ahead");
    if (o.part < 0 || o.part >= o.parts || own_share().count < 1)
      throw Error("a batch of " + std::to_string(o.batch) + " samples has no part " + std::to_string(o.part) + " of " +
                  std::to_string(o.parts));
    for (int i = 0; i < o.workers; ++i) threads.emplace_back([this] { work(); });
  }

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    wake.notify_all();
    for (std::thread& t : threads) t.join();
  }

  BatchShare own_share() const {
    return options.training ? share_of(options.batch, options.part, options.parts) : BatchShare{0, options.batch};
  }

  std::int64_t samples_in(std::int64_t number) const {
    if (options.training || maker.count() == 0) return own_share().count;
    return std::clamp<std::int64_t>(maker.count() - number * options.batch, 0, options.batch);
  }

  std::unique_ptr<RawBatch> make_buffer(std::int64_t number) {
    auto b = std::move(spare);
    if (b == nullptr) b = std::make_unique<RawBatch>();
    b->first = number * options.batch + own_share().first;
    b->count = samples_in(number);
    b->side = maker.tile();
    b->classes = maker.classes();
    const auto n = static_cast<std::size_t>(b->count), pixels = static_cast<std::size_t>(b->side * b->side);
    const auto c = static_cast<std::size_t>(b->classes);
    const std::size_t made = options.programs ? 0 : n * pixels;
    b->programs.resize(options.programs ? n : 0);
    b->images.resize(made * 3);
    b->labels.resize(made * c);
    b->weights.resize(n * c);
    b->ignored.resize(maker.ignores() ? made : 0);
    b->ignoring.resize(maker.ignores() ? n : 0);
    b->ids.resize(n);
    b->windows.resize(n);
    return b;
  }

  /// The batch whose next sample is to be made; null when there is nothing to do now. Called with the lock held.
  std::shared_ptr<Pending> find_work() {
    for (const auto& p : ring)
      if (p->taken < p->batch->count) return p;
    if (next_number >= end_number || ring.size() >= static_cast<std::size_t>(options.prefetch) ||
        samples_in(next_number) == 0)
      return nullptr;
    auto fresh = std::make_shared<Pending>();
    fresh->batch = make_buffer(next_number++);
    fresh->epoch = epoch;
    fresh->repeats = repeats;
    ring.push_back(fresh);
    return fresh;
  }

  void work() {
    SampleScratch scratch = maker.scratch();
    std::unique_lock lock(mutex);
    while (true) {
      std::shared_ptr<Pending> pending;
      wake.wait(lock, [&] { return stop || (pending = find_work()) != nullptr; });
      if (stop) return;
      const std::int64_t i = pending->taken++;
      lock.unlock();
      std::exception_ptr error;
      try {
        make(*pending, i, scratch);
      } catch (...) {
        const SampleNumber window = window_of(*pending, i);
        error = with_sample(std::current_exception(), maker.sample_id(window.epoch, window.index));
      }
      lock.lock();
      if (error != nullptr && pending->error == nullptr) pending->error = error;
      if (++pending->done == pending->batch->count) ready.notify_all();
    }
  }

  /// Where a sample's window comes from: its own number, or that of one that was hard.
  static SampleNumber window_of(const Pending& pending, std::int64_t i) {
    const SampleNumber number{pending.epoch, pending.batch->first + i};
    return pending.repeats != nullptr ? pending.repeats->window_of(number) : number;
  }

  void make(Pending& pending, std::int64_t i, SampleScratch& scratch) const {
    const SampleNumber number{pending.epoch, pending.batch->first + i};
    SampleNumber& window = pending.batch->windows[static_cast<std::size_t>(i)];
    window = window_of(pending, i);
    if (options.programs) {
      maker.write(number.epoch, number.index, program_slot(*pending.batch, i, window), scratch);
      return;
    }
    SampleSlot to = slot(*pending.batch, i);
    to.window = window;
    maker.make(number.epoch, number.index, to, scratch);
  }

  static ProgramSlot program_slot(RawBatch& b, std::int64_t i, const SampleNumber& window) {
    const auto at = static_cast<std::size_t>(i), c = static_cast<std::size_t>(b.classes);
    return {b.programs[at],
            {b.weights.data() + at * c, c},
            b.ignoring.empty() ? nullptr : &b.ignoring[at],
            &b.ids[at],
            window};
  }

  static SampleSlot slot(RawBatch& b, std::int64_t i) {
    const auto at = static_cast<std::size_t>(i), pixels = static_cast<std::size_t>(b.side * b.side);
    const auto c = static_cast<std::size_t>(b.classes);
    SampleSlot out;
    out.image = {b.images.data() + at * pixels * 3,      b.side, b.side, 3, Depth::u8,
                 static_cast<std::ptrdiff_t>(b.side * 3)};
    out.labels = {b.labels.data() + at * pixels * c, pixels * c};
    out.weights = {b.weights.data() + at * c, c};
    if (!b.ignored.empty()) {
      out.ignored = {b.ignored.data() + at * pixels, pixels};
      out.ignoring = &b.ignoring[at];
    }
    out.id = &b.ids[at];
    return out;
  }

  FeedOptions options;
  SampleMaker maker;
  std::mutex mutex;
  std::condition_variable wake;   ///< workers: there may be something to do
  std::condition_variable ready;  ///< next(): a batch is done
  std::deque<std::shared_ptr<Pending>> ring;
  std::unique_ptr<RawBatch> spare;
  std::uint64_t epoch = 0;
  std::shared_ptr<const Repeats> repeats;
  std::int64_t next_number = 0, end_number = 0;
  double waited = 0;
  bool stop = false;
  std::vector<std::thread> threads;
};

Feed::Feed(const Experiment& experiment, const Registry& registry, const PreparedData& data, FeedOptions options) {
  keep_opencv_single_threaded();
  state_ = std::make_unique<State>(experiment, registry, data, options);
}

Feed::~Feed() = default;

std::int64_t Feed::count() const { return state_->maker.count(); }

const std::vector<std::pair<std::string, double>>& Feed::shares() const { return state_->maker.catalog().shares(); }

const PreparedSlide& Feed::slide_of(std::uint64_t epoch, std::int64_t index) const {
  return state_->maker.slide_of(epoch, index);
}

SampleStory Feed::story(std::uint64_t epoch, std::int64_t index) const { return state_->maker.story(epoch, index); }
RawWindow Feed::window(std::uint64_t epoch, std::int64_t index) const { return state_->maker.window(epoch, index); }

void Feed::start(std::uint64_t epoch, std::int64_t first, std::int64_t n, std::shared_ptr<const Repeats> repeats) {
  if (first < 0 || n < 0)
    throw Error("a feed cannot start at batch " + std::to_string(first) + " for " + std::to_string(n));
  {
    const std::lock_guard lock(state_->mutex);
    state_->ring.clear();
    state_->epoch = epoch;
    state_->repeats = std::move(repeats);
    state_->next_number = first;
    state_->end_number = first + n;
    state_->waited = 0;
  }
  state_->wake.notify_all();
}

std::unique_ptr<RawBatch> Feed::next() {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (s.ring.empty() && (s.next_number >= s.end_number || s.samples_in(s.next_number) == 0)) return nullptr;
  const auto begin = std::chrono::steady_clock::now();
  s.ready.wait(lock, [&] { return !s.ring.empty() && s.ring.front()->done == s.ring.front()->batch->count; });
  s.waited += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::shared_ptr<Pending> front = s.ring.front();
  if (front->error != nullptr) {  // it stays in front: another call throws the same again
    s.end_number = s.next_number;
    std::rethrow_exception(front->error);
  }
  s.ring.pop_front();
  lock.unlock();
  s.wake.notify_all();
  return std::move(front->batch);
}

void Feed::recycle(std::unique_ptr<RawBatch> batch) {
  const std::lock_guard lock(state_->mutex);
  state_->spare = std::move(batch);
}

double Feed::waited() const noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->waited;
}

void Feed::sample(std::uint64_t epoch, std::int64_t index, const ImageView& image, Sample& to, bool augmented) const {
  const SampleMaker& maker = state_->maker;
  if (image.width != maker.tile() || image.height != maker.tile() || image.channels != 3 || image.depth != Depth::u8)
    throw Error("a sample is u8 RGB of " + std::to_string(maker.tile()) + " x " + std::to_string(maker.tile()) + " px");
  const auto classes = static_cast<std::size_t>(maker.classes());
  const auto pixels = static_cast<std::size_t>(image.size().area());
  to.labels.resize(classes * pixels);
  to.weights.resize(classes);
  to.ignored.resize(maker.ignores() ? pixels : 0);
  std::uint8_t ignoring = 0;
  SampleScratch scratch = maker.scratch();
  maker.make(epoch, index, {image, to.labels, to.weights, to.ignored, &ignoring, &to.id, {}}, scratch, augmented);
  if (ignoring == 0) to.ignored.clear();
}

}  // namespace nephron::host
