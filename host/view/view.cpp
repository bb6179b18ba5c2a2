#include <host/view/view.hpp>

#include <algorithm>
#include <cstdio>

#include <malloc.h>

#include <nephron/error.hpp>

#include <host/util/command_output.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/view/http_server.hpp>
#include <host/view/view_routes.hpp>

namespace nephron::host {

namespace {

bool of_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

/// A person who named one slide wants to know now that it cannot be read.
void require_one_good(const Collected& collected) {
  if (collected.slides.size() != 1) return;
  const ViewSlide& only = collected.slides.front();
  if (!only.open) throw Error("the slide \"" + only.id + "\" is not there: " + only.place);
  only.open();
}

}  // namespace

void view(const ViewRequest& request) {
  // Pixels of tiles go back to the system: the heap of each thread would keep some megabytes of them.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  std::error_code failed;
  if (std::filesystem::exists(request.drawings, failed) && !std::filesystem::is_directory(request.drawings, failed))
    throw Error(request.drawings.string() + " is no folder to save drawings in", "name another with --draw-into");
  Collected collected = collect(request.wish);
  require_one_good(collected);
  for (const std::string& problem : collected.problems) log().warning(problem);
  const std::string what = counted(collected.slides.size(), "slide");
  ViewRoutes routes(std::move(collected), request.drawings, request.mpp, {});
  HttpSettings settings;
  settings.host = request.host;
  settings.port = request.port;
  settings.token = random_token();
  HttpServer server(settings, [&](const HttpRequest& asked) { return routes.answer(asked); });
  if (!of_this_machine(request.host))
    log().warning(
        "others in the network can reach the viewer: whoever has the address below sees these slides and can "
        "draw on them, and what is sent is not encrypted");
  std::printf("%s: open %s\nCtrl-C ends it.\n", what.c_str(), server.url().c_str());
  std::fflush(stdout);
  server.run(interrupted);
}

}  // namespace nephron::host
