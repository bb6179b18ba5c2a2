#pragma once

#include <exception>
#include <optional>
#include <string>

#include <host/predict/picture_work.hpp>

namespace nephron::host {

/// An error that names its picture already, and ends the prediction. WriteError ends it too: it is no picture's.
class Blamed final : public Error {
 public:
  using Error::Error;
};

/// Where the pictures of a loop come from, and where what became of them goes. Calls come from the loop's thread.
class PictureOrders {
 public:
  virtual ~PictureOrders() = default;
  /// The next picture. Nothing: there is none, or, where the loop does not `wait`, not yet.
  virtual std::optional<PictureFile> next(bool wait) = 0;
  /// How many next() has not given yet, as far as it is known.
  virtual std::size_t left() const = 0;
  /// Of a picture that is computed: the share that is done, and what is being done. Throws Cancelled to stop.
  virtual void doing(const PictureFile& picture, double share, const std::string& what) = 0;
  virtual void done(PictureResult result) = 0;
  /// Of a picture that is left out. Throws Blamed to stop.
  virtual void failed(const PictureFile& picture, const std::exception& why) = 0;
};

/// Works through all pictures: the next one is read and the last one written while one is computed. Throws Cancelled
/// after Ctrl-C, when what was computed is written, WriteError where nothing more can be, and what the orders throw.
void work_through(const PictureWork& work, PictureOrders& orders);

}  // namespace nephron::host
