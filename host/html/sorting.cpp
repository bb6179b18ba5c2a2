#include <host/html/sorting.hpp>

namespace nephron::host {

const std::string_view sorting_script = R"js(
"use strict";
for (const table of document.querySelectorAll(".sortable table")) {
  const body = table.tBodies[0], text = (row, n) => row.cells[n].textContent.trim();
  [...table.tHead.rows[0].cells].forEach((head, n) => {
    head.tabIndex = 0;
    const sort = () => {
      const rows = [...body.rows];
      const known = rows.filter((row) => !["", "–"].includes(text(row, n)));
      const numbers = known.every((row) => Number.isFinite(Number(text(row, n))));
      // Figures are looked at from the largest on, names from A on; what is not known stays last.
      const down = head.ariaSort ? head.ariaSort === "ascending" : numbers;
      const order = numbers ? (a, b) => Number(text(a, n)) - Number(text(b, n))
        : (a, b) => text(a, n).localeCompare(text(b, n), "en", {numeric: true});
      known.sort((a, b) => down ? order(b, a) : order(a, b));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.ariaSort = down ? "descending" : "ascending";
      body.append(...known, ...rows.filter((row) => !known.includes(row)));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort();
    });
  });
}
)js";

}  // namespace nephron::host
