#include <host/runs_page/page_scripts.hpp>

namespace nephron::host {

const std::string_view table_script = R"js(
const mostRows = 2000;
const state = {columns: data.columns.filter((name) => keys.has(name)), sort: data.sort, down: data.descending, text: "",
               ticked: new Set(), join: true, overEpochs: true};
const seeds = new Map();
for (const recipe of data.recipes) seeds.set(recipe, (seeds.get(recipe) ?? 0) + 1);
const anySeeds = [...seeds.values()].some((n) => n > 1), anyReports = data.reports.some(Boolean);
let order = Array.from({length: runCount}, (_, run) => run), rows = [], matched = order;

const page = document.getElementById("page");
const charts = element("div", "charts"), legend = element("div", "lines"), tools = element("div", "tools");
const said = element("p", "said"), holder = element("div", "card", "runs"), table = element("table");
const body = element("tbody"), filter = element("input");
const cards = data.titles.map(() => element("div", "card"));

// ---- what is ticked

function redraw() {
  const lines = linesOf(state.ticked, state.join);
  cards.forEach((card, i) => drawChart(card, data.titles[i], i, lines, state.join, state.overEpochs));
  legend.replaceChildren(...lines.map((line) => {
    const out = element("button"), sample = drawn("svg", {viewBox: "0 0 26 8"});
    const path = drawn("path", {d: "M0 4H26", "stroke-dasharray": line.dashes});
    path.style.stroke = line.colour;
    sample.append(path);
    const name = element("span");
    name.textContent = line.name + (line.settings ? `, ${line.settings}` : "");
    out.append(sample, name);
    out.title = "Untick it";
    out.addEventListener("click", () => tick(line.runs, false));
    return out;
  }));
  for (const run of order) if (rows[run] !== undefined) markTicked(run, rows[run]);
  tell();
}

function markTicked(run, row) {
  const on = state.ticked.has(run);
  row.classList.toggle("ticked", on);
  row.cells[0].firstChild.checked = on;
}

function tick(runs, on) {
  for (const run of runs) if (on) state.ticked.add(run); else state.ticked.delete(run);
  redraw();
}

// ---- rows

function cellsOf(run) {
  const row = element("tr"), box = element("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", `curves of ${shown("name", run)} ${shown("id", run)}`);
  box.addEventListener("change", () => tick([run], box.checked));
  row.insertCell().append(box);
  for (const name of state.columns) {
    const cell = row.insertCell(), text = shown(name, run);
    cell.textContent = text;
    if (text.length > 40) cell.title = text;
    if (typeof valueOf(name, run) === "string") cell.classList.add("words");
  }
  if (anySeeds) addSeeds(row.insertCell(), run);
  if (anyReports) {
    const cell = row.insertCell(), link = element("a");
    if (data.reports[run] === null) return row;
    link.href = data.reports[run];
    link.textContent = "report";
    cell.append(link);
  }
  return row;
}

function addSeeds(cell, run) {
  const recipe = data.recipes[run], many = seeds.get(recipe);
  if (many < 2) return;
  const button = element("button");
  button.textContent = String(many);
  button.title = "Runs that differ from this one in their seed alone, itself among them: tick all";
  button.addEventListener("click", () => tick(order.filter((other) => data.recipes[other] === recipe), true));
  cell.append(button);
}

/// Which of two runs comes first: numbers before texts, and last of all what is not known.
function before(a, b) {
  const x = valueOf(state.sort, a), y = valueOf(state.sort, b);
  if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
  if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
  const out = typeof x === "number" ? x - y : x < y ? -1 : x > y ? 1 : 0;
  return state.down ? -out : out;
}

function arrange() {
  let matches = () => true;
  said.classList.remove("fault");
  try {
    matches = matcher(state.text.trim(), state.columns);
  } catch (error) {
    said.classList.add("fault");
    said.textContent = error.message;
    return;
  }
  matched = order.filter(matches);
  body.replaceChildren(...matched.slice(0, mostRows).map((run) => {
    rows[run] ??= cellsOf(run);
    markTicked(run, rows[run]);
    return rows[run];
  }));
  tell();
}

function tell() {
  if (said.classList.contains("fault")) return;
  const more = matched.length > mostRows ? `, of which the first ${mostRows} stand here` : "";
  const of = matched.length === runCount ? `${runCount} runs` : `${matched.length} of ${runCount} runs`;
  said.textContent = `${of}${more}; ${state.ticked.size} ticked`;
}

// ---- columns

function sortBy(name) {
  const like = order.map((run) => valueOf(name, run)).find((value) => value !== null);
  // Figures and times from the greatest on, names from A on.
  const greatestFirst = typeof like === "number" || keys.get(name)?.as === "time";
  state.down = state.sort === name ? !state.down : greatestFirst;
  state.sort = name;
  order.sort(before);
  for (const head of table.tHead.rows[0].cells) {
    if (head.dataset.key !== name) head.removeAttribute("aria-sort");
    else head.ariaSort = state.down ? "descending" : "ascending";
  }
  arrange();
}

function headOf(name) {
  const head = element("th");
  head.scope = "col";
  head.textContent = head.dataset.key = name;
  head.tabIndex = 0;
  if (name === state.sort) head.ariaSort = state.down ? "descending" : "ascending";
  if (order.some((run) => typeof valueOf(name, run) === "string")) head.classList.add("words");
  head.addEventListener("click", () => sortBy(name));
  head.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    sortBy(name);
  });
  return head;
}

function makeHead() {
  const row = element("tr"), all = element("th"), box = element("input");
  box.type = "checkbox";
  box.setAttribute("aria-label", "curves of all runs that are listed");
  box.addEventListener("change", () => tick(box.checked ? matched : order, box.checked));
  all.append(box);
  row.append(all, ...state.columns.map(headOf));
  for (const [there, name] of [[anySeeds, "seeds"], [anyReports, ""]]) {
    if (!there) continue;
    const head = element("th");
    head.textContent = name;
    row.append(head);
  }
  table.tHead?.remove();
  table.createTHead().append(row);
}

function remake() {
  rows = [];
  makeHead();
  arrange();
}

function chooser() {
  const out = element("details", "choose"), title = element("summary"), box = element("div", "box");
  const search = element("input"), all = element("div", "all");
  title.textContent = "Columns";
  search.type = "search";
  search.placeholder = "a key";
  search.setAttribute("aria-label", "Find a column");
  const fill = () => {
    const found = data.keys.filter((key) => key.key.includes(search.value.trim()));
    const part = (keysOf, text) => {
      if (keysOf.length === 0) return [];
      const head = element("p");
      head.textContent = text;
      return [head, ...keysOf.map((key) => {
        const label = element("label"), tickBox = element("input");
        tickBox.type = "checkbox";
        tickBox.checked = state.columns.includes(key.key);
        tickBox.addEventListener("change", () => {
          if (tickBox.checked) state.columns.push(key.key);
          else state.columns = state.columns.filter((name) => name !== key.key);
          remake();
        });
        label.append(tickBox, document.createTextNode(key.key));
        return label;
      })];
    };
    all.replaceChildren(...part(found.filter((key) => key.all === undefined), "differ between these runs"),
                        ...part(found.filter((key) => key.all !== undefined), "the same in all"));
  };
  search.addEventListener("input", fill);
  out.addEventListener("toggle", () => { if (out.open) fill(), search.focus(); });
  out.addEventListener("keydown", (event) => { if (event.key === "Escape") out.open = false, title.focus(); });
  document.addEventListener("click", (event) => { if (!out.contains(event.target)) out.open = false; });
  box.append(search, all);
  out.append(title, box);
  return out;
}

function switchFor(text, title, get, set) {
  const label = element("label"), box = element("input");
  box.type = "checkbox";
  box.checked = get();
  box.addEventListener("change", () => { set(box.checked); redraw(); });
  label.append(box, document.createTextNode(text));
  label.title = title;
  return label;
}

// ---- the page

filter.type = "search";
filter.placeholder = "words, or a filter: dice>0.9 and train.batch=16";
filter.setAttribute("aria-label", "Filter the runs");
filter.addEventListener("input", () => { state.text = filter.value; arrange(); });
const none = element("button");
none.textContent = "Untick all";
none.addEventListener("click", () => tick(order, false));
tools.append(filter);
if (anySeeds)
  tools.append(switchFor("seeds as one line", "Runs that differ in their seed alone become their mean, and a band between them",
                         () => state.join, (on) => { state.join = on; }));
tools.append(switchFor("over epochs", "Else over optimiser steps", () => state.overEpochs, (on) => { state.overEpochs = on; }),
             none, chooser());
const bands = element("p", "soft", "note");
bands.textContent = "Bands: between the folds of a run, or between runs that differ in their seed alone.";
table.append(body);
holder.append(table);
charts.append(...cards);
page.append(charts, bands, legend, tools, said, holder);
makeHead();
arrange();
// The first ones show what the page is for.
tick(order.filter((run) => data.curves[run].some(Boolean)).slice(0, 3), true);
)js";

}  // namespace nephron::host
