#include <host/view/client_stream.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

namespace nephron::host {

bool ClientStream::ready(short events, std::chrono::milliseconds most) const {
  pollfd place{socket_, events, 0};
  int found = 0;
  do found = ::poll(&place, 1, static_cast<int>(most.count()));
  while (found < 0 && errno == EINTR);
  return found > 0;
}

bool ClientStream::ready_by(short events, Clock::time_point end) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return left.count() > 0 && ready(events, left);
}

void ClientStream::allow(std::chrono::milliseconds for_reading, std::chrono::milliseconds for_writing) {
  read_by_ = Clock::now() + for_reading;
  for_writing_ = for_writing;
  answering_ = false;
}

bool ClientStream::gone() const {
  char next = 0;
  const ssize_t got = ::recv(socket_, &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

ssize_t ClientStream::read(char* out, std::size_t size) {
  if (begin_ == end_) {
    if (!ready_by(POLLIN, read_by_)) return -1;
    ssize_t got = 0;
    do got = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return got;
    begin_ = 0, end_ = static_cast<std::size_t>(got);
  }
  const std::size_t n = std::min({size, end_ - begin_, most_});
  if (n == 0) return -1;
  most_ -= n;
  std::memcpy(out, buffer_.data() + begin_, n);
  begin_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t ClientStream::write(const char* bytes, std::size_t size) {
  if (!answering_) write_by_ = Clock::now() + for_writing_, answering_ = true;
  while (ready_by(POLLOUT, write_by_)) {
    const ssize_t sent = ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) break;
  }
  return -1;
}

}  // namespace nephron::host
