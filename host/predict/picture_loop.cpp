#include <host/predict/picture_loop.hpp>

#include <future>
#include <memory>
#include <utility>

#include <host/util/interrupt.hpp>
#include <host/util/write_error.hpp>

namespace nephron::host {

namespace {

class Loop {
 public:
  Loop(const PictureWork& work, PictureOrders& orders) : work_(work), orders_(orders) {}

  void run() try {
    for (read_next(true); reading_.valid();) {
      const PictureFile picture = next_;
      try {
        std::future<LoadedPicture> current = std::move(reading_);
        read_next(false);
        const auto loaded = std::make_shared<const LoadedPicture>(current.get());
        PictureWork::Computed computed =
            work_.compute(picture, loaded, [&](double share, const std::string& what) { tell(picture, share, what); });
        collect();
        written_ = picture;
        writing_ = std::async(std::launch::async,
                              [this, computed = std::move(computed)]() mutable { return work_.write(computed); });
      } catch (const Cancelled&) {
        collect();  // what is computed is written
        throw;
      } catch (const Blamed&) {
        throw;
      } catch (const WriteError&) {
        collect();  // the one before may have been written
        throw;
      } catch (const std::exception& e) {
        collect();  // its own failure comes first
        orders_.failed(picture, e);
      }
      if (reading_.valid()) continue;
      collect();
      read_next(true);
    }
    collect();
  } catch (const Blamed&) {
    stop_reading();
    throw;
  } catch (const WriteError&) {
    stop_reading();
    throw;
  }

 private:
  void read_next(bool wait) {
    const std::optional<PictureFile> picture = orders_.next(wait);
    if (!picture) return;
    next_ = *picture;
    reading_ = std::async(std::launch::async, [this, picture = *picture] { return work_.load(picture); });
  }

  void tell(const PictureFile& picture, double share, const std::string& what) {
    orders_.doing(picture, share, what);
    if (interrupted()) throw Cancelled();
  }

  void collect() {
    if (!writing_.valid()) return;
    try {
      orders_.done(writing_.get());
    } catch (const Cancelled&) {  // Ctrl-C reached what it still had to read
      throw;
    } catch (const Blamed&) {
      throw;
    } catch (const WriteError&) {
      throw;
    } catch (const std::exception& e) {
      orders_.failed(written_, e);
    }
  }

  /// A slide may take minutes to read, which nobody wants any more.
  void stop_reading() {
    if (!reading_.valid()) return;
    const bool before = interrupted();
    set_interrupted(true);
    reading_.wait();
    set_interrupted(before);
  }

  const PictureWork& work_;
  PictureOrders& orders_;
  PictureFile next_, written_;
  std::future<LoadedPicture> reading_;
  std::future<PictureResult> writing_;
};

}  // namespace

void work_through(const PictureWork& work, PictureOrders& orders) { Loop(work, orders).run(); }

}  // namespace nephron::host
