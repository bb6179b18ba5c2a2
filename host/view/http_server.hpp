#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nephron::host {

/// What a client asks for.
struct HttpRequest {
  std::string method;  ///< "GET", "PUT"; HEAD comes as GET
  std::string path;    ///< behind the token, decoded: "tiles/0/3/1/2"; never one of a file system
  std::string body;
  /// True once nobody waits for the answer: work ends then.
  std::function<bool()> gone = [] { return false; };
};

struct HttpReply {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

using HttpHandler = std::function<HttpReply(const HttpRequest&)>;

struct HttpSettings {
  std::string host = "127.0.0.1";
  int port = 0;       ///< 0: any free one
  std::string token;  ///< the first part of every path; what has another is refused with 403
  std::size_t threads = 24;
  std::size_t most_waiting = 512;  ///< connections beyond these are refused with 503
  std::size_t most_body = std::size_t{1} << 26;
  std::chrono::milliseconds idle{5000};      ///< of a connection between requests
  std::chrono::milliseconds request{10000};  ///< from a request's first byte to its last
  std::chrono::milliseconds reply{30000};    ///< in which the answer has to be taken
};

/// HTTP/1.1 for a few people on one machine: GET, HEAD and PUT below a secret path. Memory and threads are bounded
/// whatever clients do: those that are slow are cut off, idle connections give way to waiting ones, and the handler
/// sees when a client has gone. Listens from its construction on.
class HttpServer {
 public:
  /// Throws Error when nothing can listen there.
  HttpServer(HttpSettings settings, HttpHandler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const noexcept;
  std::string url() const;
  /// Answers until stop(), which any thread may call, or until `ends` says so; that is asked ten times a second.
  void run(const std::function<bool()>& ends);
  void stop();

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

/// 128 random bits of the operating system, as 32 hexadecimal digits.
std::string random_token();

}  // namespace nephron::host
