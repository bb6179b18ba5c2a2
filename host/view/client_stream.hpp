#pragma once

#include <array>
#include <chrono>
#include <string>

#include <httplib.h>
#include <poll.h>

namespace nephron::host {

/// A client's connection as httplib reads and writes it, with a time for the whole of a request and of an answer: one
/// byte a second keeps no thread busy, and no stream of headers fills memory. The socket belongs to the caller.
class ClientStream final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;
  explicit ClientStream(socket_t socket) : socket_(socket) {}

  /// Until a request begins or `waits_no_more` says that it need not be waited for. False when none came.
  template <class WaitsNoMore>
  bool wait_for_request(const WaitsNoMore& waits_no_more);
  /// From now on, reads and writes end by these times.
  void allow(std::chrono::milliseconds for_reading, std::chrono::milliseconds for_writing);
  /// From now on, so many bytes are read and then no more.
  void limit(std::size_t bytes) { most_ = bytes; }
  /// True when the other side has closed, or half closed, the connection.
  bool gone() const;

  bool is_readable() const override { return begin_ < end_ || ready(POLLIN, std::chrono::milliseconds(0)); }
  bool is_writable() const override { return ready(POLLOUT, std::chrono::milliseconds(0)) && !gone(); }
  ssize_t read(char* out, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool ready(short events, std::chrono::milliseconds most) const;
  bool ready_by(short events, Clock::time_point end) const;

  socket_t socket_;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t most_ = 0;
  Clock::time_point read_by_, write_by_;
  std::chrono::milliseconds for_writing_{0};
  bool answering_ = false;
};

template <class WaitsNoMore>
bool ClientStream::wait_for_request(const WaitsNoMore& waits_no_more) {
  while (begin_ == end_) {
    if (ready(POLLIN, std::chrono::milliseconds(50))) return !gone();
    if (waits_no_more()) return false;
  }
  return true;
}

}  // namespace nephron::host
