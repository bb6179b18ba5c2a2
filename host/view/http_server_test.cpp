// The server against clients that ask for what is not theirs, are slow, leave, or come all at once.
#include <host/view/http_server.hpp>

#include <atomic>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {
namespace {

using std::chrono::milliseconds;

/// A plain connection, so that a test can send what no client library would.
class Client {
 public:
  explicit Client(int port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  bool send(const std::string& text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  /// All until the server closes.
  std::string rest() const {
    std::string out;
    char part[4096];
    for (ssize_t got = 0; (got = ::recv(fd_, part, sizeof part, 0)) > 0;)
      out.append(part, static_cast<std::size_t>(got));
    return out;
  }

 private:
  int fd_;
  bool connected_ = false;
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"; }

/// "200" of an answer.
std::string status(const std::string& answer) { return answer.size() > 12 ? answer.substr(9, 3) : "none: " + answer; }

class Server : public testing::Test {
 protected:
  void start(const std::function<void(HttpSettings&)>& change = [](HttpSettings&) {}) {
    HttpSettings settings;
    settings.token = token_;
    change(settings);
    server_ = std::make_unique<HttpServer>(settings, [this](const HttpRequest& request) { return handler_(request); });
    thread_ = std::thread([this] { server_->run([this] { return ends_.load(); }); });
  }
  void TearDown() override {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::string ask(const std::string& text) const {
    const Client client(server_->port());
    client.send(text);
    return client.rest();
  }

  const std::string token_ = random_token();
  std::function<HttpReply(const HttpRequest&)> handler_ = [](const HttpRequest& request) {
    return HttpReply{200, "text/plain", request.method + " " + request.path + " " + request.body};
  };
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::atomic<bool> ends_{false};
};

TEST_F(Server, AnswersBelowItsToken) {
  start();
  const std::string answer = ask(get("/" + token_ + "/tiles/1"));
  EXPECT_EQ(status(answer), "200");
  EXPECT_THAT(answer, testing::HasSubstr("GET tiles/1 "));
  EXPECT_THAT(answer, testing::HasSubstr("Content-Security-Policy: default-src 'none'"));
  EXPECT_THAT(answer, testing::HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_EQ(server_->url(), "http://127.0.0.1:" + std::to_string(server_->port()) + "/" + token_ + "/");
}

TEST_F(Server, WithoutItsTokenNothing) {
  start();
  std::string near = token_;
  near.back() = near.back() == '0' ? '1' : '0';
  for (const std::string& path : {std::string("/"), std::string("/session"), "/" + near + "/", "/" + token_ + "x/",
                                  "/" + token_.substr(1) + "/", "//" + token_ + "/", std::string("/../") + token_ + "/",
                                  "/?token=" + token_, std::string("/etc/passwd"), std::string("/../../etc/passwd")}) {
    const std::string answer = ask(get(path));
    EXPECT_EQ(status(answer), "403") << path;
    EXPECT_THAT(answer, testing::Not(testing::HasSubstr(token_))) << path;
  }
}

TEST_F(Server, TokensAreLongAndNoTwoAreEqual) {
  EXPECT_EQ(random_token().size(), 32U);
  EXPECT_NE(random_token(), random_token());
}

TEST_F(Server, OtherMethodsAndLongPathsAreRefused) {
  start();
  EXPECT_EQ(status(ask("POST /" + token_ + "/a HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nxx")), "405");
  EXPECT_EQ(status(ask("DELETE /" + token_ + "/a HTTP/1.1\r\nConnection: close\r\n\r\n")), "405");
  EXPECT_EQ(status(ask(get("/" + token_ + "/" + std::string(4000, 'a')))), "414");
  EXPECT_EQ(status(ask("PUT /x/a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx")), "403");
  EXPECT_THAT(ask("PUT /" + token_ + "/a HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\nxy"),
              testing::HasSubstr("PUT a xy"));
}

TEST_F(Server, ABodyBeyondTheLimitIsRefused) {
  start([](HttpSettings& s) { s.most_body = 1000, s.request = milliseconds(500); });
  const std::string head = "PUT /" + token_ + "/a HTTP/1.1\r\nConnection: close\r\nContent-Length: ";
  EXPECT_EQ(status(ask(head + "5000\r\n\r\n" + std::string(5000, 'x'))), "413");
  EXPECT_EQ(status(ask(head + "99999999999999\r\n\r\nabc")), "413");
}

TEST_F(Server, NoStreamOfHeadersOrChunksIsTaken) {
  start();
  std::string head = "GET /" + token_ + "/ HTTP/1.1\r\n";
  for (int i = 0; i < 20000; ++i) head += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_NE(status(ask(head + "\r\n")), "200");
  EXPECT_EQ(status(ask("PUT /" + token_ + "/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n")), "411");
}

TEST_F(Server, RubbishIsNoRequest) {
  start([](HttpSettings& s) { s.request = milliseconds(300); });
  for (const std::string& text : {std::string("\0\1\2\3\r\n\r\n", 8), std::string("GET\r\n\r\n"),
                                  std::string("GET / HTTP/9.9\r\n\r\n"), std::string(20000, 'A') + "\r\n\r\n",
                                  "GET /" + token_ + "/ HTTP/1.1\r\nX: " + std::string(60000, 'b') + "\r\n\r\n"})
    EXPECT_NE(status(ask(text)), "200") << text.substr(0, 20);
  EXPECT_EQ(status(ask(get("/" + token_ + "/"))), "200");
}

TEST_F(Server, ASlowClientIsCutOffAndOthersAreAnswered) {
  start([](HttpSettings& s) { s.threads = 2, s.request = milliseconds(400); });
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 8; ++i) {
    slow.push_back(std::make_unique<Client>(server_->port()));
    slow.back()->send("GET /" + token_);  // and no more
  }
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(status(ask(get("/" + token_ + "/"))), "200");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(6000));
  for (const auto& client : slow) EXPECT_NE(status(client->rest()), "200");
}

TEST_F(Server, IdleConnectionsGiveWay) {
  start([](HttpSettings& s) { s.threads = 2, s.idle = milliseconds(60000); });
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 6; ++i) idle.push_back(std::make_unique<Client>(server_->port()));
  EXPECT_EQ(status(ask(get("/" + token_ + "/"))), "200");
}

TEST_F(Server, AnAnswerThatNobodyReadsEnds) {
  handler_ = [](const HttpRequest&) { return HttpReply{200, "text/plain", std::string(std::size_t{1} << 26, 'x')}; };
  start([](HttpSettings& s) { s.threads = 1, s.reply = milliseconds(300); });
  const Client lazy(server_->port());
  lazy.send(get("/" + token_ + "/"));
  handler_ = [](const HttpRequest&) { return HttpReply{200, "text/plain", "ok"}; };
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_EQ(status(ask(get("/" + token_ + "/"))), "200");
}

TEST_F(Server, TheHandlerSeesThatAClientLeft) {
  std::atomic<int> stopped{0};
  handler_ = [&](const HttpRequest& request) -> HttpReply {
    for (int i = 0; i < 500; ++i) {
      if (request.gone()) {
        ++stopped;
        throw Cancelled();
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    return {};
  };
  start();
  for (int i = 0; i < 5; ++i) {
    const Client client(server_->port());
    client.send(get("/" + token_ + "/"));
    std::this_thread::sleep_for(milliseconds(40));
  }
  for (int i = 0; i < 200 && stopped < 5; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(stopped, 5);
}

TEST_F(Server, AThousandRequestsFiftyAtATimeSomeOfThemAborted) {
  handler_ = [](const HttpRequest& request) {
    std::this_thread::sleep_for(milliseconds(2));
    return HttpReply{200, "text/plain", "answer " + request.path};
  };
  start();
  std::atomic<int> next{0}, good{0}, aborted{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 50; ++c)
    clients.emplace_back([&] {
      for (int i = 0; (i = next++) < 1000;) {
        const Client client(server_->port());
        client.send(get("/" + token_ + "/" + std::to_string(i)));
        if (i % 5 == 4) ++aborted;
        else good += client.rest().find("answer " + std::to_string(i)) != std::string::npos;
      }
    });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 800);
  EXPECT_EQ(aborted, 200);
}

TEST_F(Server, AnErrorOfTheHandlerIsAnAnswer) {
  handler_ = [](const HttpRequest&) -> HttpReply { throw std::runtime_error("broken"); };
  start();
  const std::string answer = ask(get("/" + token_ + "/"));
  EXPECT_EQ(status(answer), "500");
  EXPECT_THAT(answer, testing::HasSubstr("broken"));
}

TEST_F(Server, APortThatIsTakenIsAnError) {
  start();
  HttpSettings second;
  second.token = token_;
  second.port = server_->port();
  // SO_REUSEPORT would let two programs share it.
  EXPECT_THROW(HttpServer(second, handler_), Error);
}

}  // namespace
}  // namespace nephron::host
