#include <host/ranks/local_ranks.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

/// One that nobody listens at now. The system does not give it to the next who asks for any.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool good = fd >= 0 && ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
  const int failed = errno;
  if (fd >= 0) ::close(fd);
  if (!good) throw Error(std::string("no port is free on 127.0.0.1: ") + std::strerror(failed));
  return ntohs(address.sin_port);
}

}  // namespace

LocalRanks::LocalRanks(int count)
    : place_{0, count, 0, count, "127.0.0.1", free_port(), /*store_is_there=*/false, "", "this command"} {
  const std::vector<std::string> own = own_command();
  for (int rank = 1; rank < count; ++rank) {
    const std::string number = std::to_string(rank), all = std::to_string(count);
    std::vector<std::string> command{"/usr/bin/env",
                                     "-u",
                                     "TORCHELASTIC_USE_AGENT_STORE",
                                     "-u",
                                     "TORCHELASTIC_RESTART_COUNT",
                                     "RANK=" + number,
                                     "LOCAL_RANK=" + number,
                                     "WORLD_SIZE=" + all,
                                     "LOCAL_WORLD_SIZE=" + all,
                                     "MASTER_ADDR=" + place_.address,
                                     "MASTER_PORT=" + std::to_string(place_.port)};
    command.insert(command.end(), own.begin(), own.end());
    others_.push_back(std::make_unique<ChildProcess>(command, [](std::string_view) {}));
  }
}

std::optional<std::string> LocalRanks::end_of(int rank) const {
  if (rank == 0) return std::nullopt;
  ChildProcess& process = *others_.at(static_cast<std::size_t>(rank - 1));
  return process.ended() ? std::optional(process.end().text()) : std::nullopt;
}

}  // namespace nephron::host
