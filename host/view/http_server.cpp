#include <host/view/http_server.hpp>

#include <atomic>
#include <thread>

#include <openssl/crypto.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nephron/error.hpp>

#include <host/util/log.hpp>
#include <host/view/client_stream.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t longest_path = 1024;
constexpr std::size_t most_head = 1 << 16;    // of a request's line and headers
constexpr std::size_t most_requests = 10000;  // of one connection

/// httplib's threads, with a count of the connections that wait for one.
class Workers final : public httplib::TaskQueue {
 public:
  Workers(std::size_t threads, std::atomic<std::size_t>& waiting) : threads_(threads), waiting_(waiting) {}
  void enqueue(std::function<void()> work) override {
    ++waiting_;
    threads_.enqueue([this, todo = std::move(work)] {
      --waiting_;
      todo();
    });
  }
  void shutdown() override { threads_.shutdown(); }

 private:
  httplib::ThreadPool threads_;
  std::atomic<std::size_t>& waiting_;
};

/// The stream of the request that this thread answers, and whether its connection ends with it: that of what is no
/// request does.
thread_local ClientStream* current_client = nullptr;
thread_local bool ends_connection = true;

class Listener final : public httplib::Server {
 public:
  explicit Listener(const HttpSettings& settings) : settings_(settings) {
    new_task_queue = [this] { return new Workers(settings_.threads, waiting_); };  // NOLINT: httplib deletes it
    set_tcp_nodelay(true);
    set_socket_options([](socket_t socket) {  // httplib's own would let two programs share a port
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_payload_max_length(settings_.most_body);
  }
  /// httplib keeps five connections that were not accepted yet, and a browser opens more at once.
  void lengthen_queue() { ::listen(svr_sock_, 256); }
  void refuse_more() { ending_ = true; }

 private:
  bool process_and_close_socket(socket_t socket) override {
    serve(socket);
    // What the client still sends would make the kernel throw away an answer that it has not read.
    ::shutdown(socket, SHUT_WR);
    char rest[4096];
    for (int i = 0; i < 64 && ::recv(socket, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) continue;
    ::close(socket);
    return true;
  }

  void serve(socket_t socket) {
    if (waiting_ > settings_.most_waiting) {
      constexpr char busy[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
      [[maybe_unused]] const ssize_t sent = ::send(socket, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
      return;
    }
    ClientStream client(socket);
    current_client = &client;
    for (std::size_t i = 0; i < most_requests; ++i) {
      const auto begun = ClientStream::Clock::now();
      const auto no_more = [&] {
        const auto idle = ClientStream::Clock::now() - begun;
        const bool others_wait = waiting_ > 0 && (i > 0 || idle > std::chrono::milliseconds(500));
        return ending_ || others_wait || idle > settings_.idle;
      };
      if (!client.wait_for_request(no_more)) break;
      client.allow(settings_.request, settings_.reply);
      client.limit(most_head);
      ends_connection = true;
      bool closed = false;
      const auto prepare = [&](httplib::Request& request) {
        client.limit(settings_.most_body + 1);
        request.ranges.clear();                    // answers are small and whole
        request.headers.erase("Accept-Encoding");  // packing costs more than a local connection
      };
      if (!process_request(client, ending_ || i + 1 == most_requests, closed, prepare) || closed || ends_connection)
        break;
    }
    current_client = nullptr;
  }

  const HttpSettings& settings_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> ending_{false};
};

bool equal_in_constant_time(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// The path behind the token; false when the token is another.
bool behind_token(const std::string& path, const std::string& token, std::string& rest) {
  if (path.empty() || path.front() != '/') return false;
  const std::size_t end = path.find('/', 1);
  if (!equal_in_constant_time(path.substr(1, end == std::string::npos ? end : end - 1), token)) return false;
  rest = end == std::string::npos ? "" : path.substr(end + 1);
  return true;
}

void give(const HttpReply& reply, httplib::Response& to) {
  to.status = reply.status;
  for (const auto& [name, value] : reply.headers) to.set_header(name, value);
  to.set_content(reply.body, reply.type);
}

}  // namespace

struct HttpServer::Content {
  HttpSettings settings;
  HttpHandler handler;
  Listener listener;
  int port = 0;

  Content(HttpSettings wanted, HttpHandler answers)
      : settings(std::move(wanted)), handler(std::move(answers)), listener(settings) {}

  void answer(const httplib::Request& from, httplib::Response& to) const {
    HttpRequest request;
    request.method = from.method == "HEAD" ? "GET" : from.method;
    if (!behind_token(from.path, settings.token, request.path))
      return give({403, "text/plain; charset=utf-8", "Open the address that nephron view printed.\n"}, to);
    request.body = from.body;
    if (ClientStream* const client = current_client) request.gone = [client] { return client->gone(); };
    try {
      give(handler(request), to);
    } catch (const Cancelled&) {
      ends_connection = true;
      give({503, "text/plain; charset=utf-8", "Nobody waited for this.\n"}, to);
    } catch (const std::exception& e) {
      give({500, "text/plain; charset=utf-8", std::string(e.what()) + "\n"}, to);
    }
  }

  /// Everything but a PUT with the right token is answered before its body is read, and ends the connection when it
  /// has one.
  void set_up() {
    listener.set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
      ends_connection = false;
      std::string rest;
      const bool mine = from.path.size() <= longest_path && behind_token(from.path, settings.token, rest);
      if (mine && from.method == "PUT" && !from.has_header("Transfer-Encoding"))
        return httplib::Server::HandlerResponse::Unhandled;
      if (from.has_header("Content-Length") || from.has_header("Transfer-Encoding")) ends_connection = true;
      if (mine && from.method == "PUT")  // httplib would take any amount of it
        give({411, "text/plain; charset=utf-8", "A length is needed.\n"}, to);
      else if (from.path.size() > longest_path) give({414, "text/plain; charset=utf-8", "The path is too long.\n"}, to);
      else if (mine && from.method != "GET" && from.method != "HEAD")
        give({405, "text/plain; charset=utf-8", "GET and PUT are answered.\n", {{"Allow", "GET, HEAD, PUT"}}}, to);
      else answer(from, to);
      return httplib::Server::HandlerResponse::Handled;
    });
    listener.Put(".*", [this](const httplib::Request& from, httplib::Response& to) { answer(from, to); });
    listener.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                  {"X-Frame-Options", "DENY"},
                                  {"Referrer-Policy", "no-referrer"},
                                  {"Cross-Origin-Resource-Policy", "same-origin"},
                                  {"Content-Security-Policy",
                                   "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                                   "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; "
                                   "form-action 'none'; frame-ancestors 'none'"}});
  }
};

HttpServer::HttpServer(HttpSettings settings, HttpHandler handler)
    : content_(std::make_unique<Content>(std::move(settings), std::move(handler))) {
  Content& c = *content_;
  c.set_up();
  const std::string& host = c.settings.host;
  const bool bound = c.settings.port == 0 ? (c.port = c.listener.bind_to_any_port(host)) > 0
                                          : c.listener.bind_to_port(host, c.port = c.settings.port);
  if (!bound)
    throw Error("cannot listen on " + host + (c.settings.port > 0 ? ":" + std::to_string(c.settings.port) : ""),
                c.settings.port > 0 ? "another program may use the port; without --port a free one is taken"
                                    : "--host takes an address of this machine");
  c.listener.lengthen_queue();
}

HttpServer::~HttpServer() { stop(); }

int HttpServer::port() const noexcept { return content_->port; }

std::string HttpServer::url() const {
  const std::string& host = content_->settings.host;
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port()) + "/" + content_->settings.token +
         "/";
}

void HttpServer::run(const std::function<bool()>& ends) {
  std::atomic<bool> done{false};
  std::thread watch([&] {
    while (!done && !ends()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    while (!done) {  // listening may not have begun
      stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
  const bool good = content_->listener.listen_after_bind();
  done = true;
  watch.join();
  if (!good && !ends()) log().warning("listening ended by itself");
}

void HttpServer::stop() {
  content_->listener.refuse_more();
  content_->listener.stop();
}

std::string random_token() {
  unsigned char bits[16];
  if (::getrandom(bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits))
    throw Error("the operating system gave no random numbers");
  std::string out;
  for (const unsigned char b : bits) out += "0123456789abcdef"[b >> 4], out += "0123456789abcdef"[b & 15];
  return out;
}

}  // namespace nephron::host
