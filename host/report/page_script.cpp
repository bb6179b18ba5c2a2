#include <host/report/page_script.hpp>

#include <string>

#include <host/html/sorting.hpp>

namespace nephron::host {

namespace {

const std::string script = std::string(sorting_script) + R"js(
const looking = document.querySelector(".looking"), field = looking?.querySelector("input");
const links = [...document.querySelectorAll(".look")];
function lead() {
  const address = field.value.trim().split("#")[0];
  const good = /^https?:\/\/[^\s]+$/.test(address);
  for (const link of links) {
    link.href = good ? address + link.dataset.view : "#viewer";
    link.target = good ? "nephron-view" : "";
    link.rel = "noreferrer";
  }
  if (good) looking.classList.remove("asked");
}
field?.addEventListener("input", lead);
for (const link of links) link.addEventListener("click", () => {
  if (link.getAttribute("href") !== "#viewer") return;
  looking.classList.add("asked");
  setTimeout(() => field.focus());
});
)js";

}  // namespace

const std::string_view page_script = script;

}  // namespace nephron::host
