#include <host/runs_page/page_scripts.hpp>

namespace nephron::host {

const std::string_view lines_script = R"js(
const element = (name, ...classes) => {
  const out = document.createElement(name);
  out.classList.add(...classes);
  return out;
};
const drawn = (name, attributes) => {
  const out = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  return out;
};

function stepsPerEpoch(run) {
  if (data.per_epoch[run] > 0) return data.per_epoch[run];
  const batches = valueOf("train.steps_per_epoch", run) ?? 0, accumulate = valueOf("train.accumulate", run) ?? 1;
  return batches > 0 ? Math.ceil(batches / accumulate) : 1;
}

/// One run's curve; low and high where it has several folds.
function curveOf(run, which, overEpochs) {
  const curve = data.curves[run][which];
  if (curve === null) return null;
  const unit = overEpochs ? stepsPerEpoch(run) : 1;
  return {x: curve.x.map((step) => step / unit), y: curve.y, low: curve.low, high: curve.high};
}

function heightAt(curve, x) {
  const {x: xs, y} = curve, last = xs.length - 1;
  if (last < 0 || x < xs[0] || x > xs[last]) return null;
  let low = 0, high = last;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1; else high = middle;
  }
  if (low === 0 || xs[low] === x) return y[low];
  const share = (x - xs[low - 1]) / (xs[low] - xs[low - 1]);
  return y[low - 1] + share * (y[low] - y[low - 1]);
}

/// Runs that differ in their seed alone: their mean, and between what they lie.
function joinedCurve(curves) {
  const whole = curves.filter(Boolean);
  if (whole.length < 2) return whole[0] ?? null;
  const longest = whole.reduce((a, b) => (b.x.at(-1) > a.x.at(-1) ? b : a));
  const out = {x: longest.x, y: [], low: [], high: []};
  for (const x of longest.x) {
    const heights = whole.map((curve) => heightAt(curve, x)).filter((y) => y !== null);
    out.y.push(heights.reduce((a, b) => a + b, 0) / heights.length);
    out.low.push(Math.min(...heights));
    out.high.push(Math.max(...heights));
  }
  return out;
}

/// Lines of the runs that are ticked. A line keeps its colour while it is there.
const places = new Map();
function linesOf(ticked, join) {
  const groups = new Map();
  for (const run of ticked) {
    const id = join ? `recipe ${data.recipes[run]}` : `run ${run}`;
    groups.set(id, [...(groups.get(id) ?? []), run]);
  }
  for (const id of places.keys()) if (!groups.has(id)) places.delete(id);
  const taken = new Set(places.values());
  let free = 0;
  const lines = [...groups].map(([id, runs]) => {
    if (!places.has(id)) {
      while (taken.has(free)) ++free;
      places.set(id, free);
      taken.add(free);
    }
    const place = places.get(id);
    return {runs, colour: `var(--s${place % data.colours})`,
            dashes: data.dashes[Math.floor(place / data.colours) % data.dashes.length].join(" ")};
  });
  nameApart(lines);
  return lines;
}

/// What of the recipe differs between the lines, three keys at most.
function nameApart(lines) {
  const told = lines.length < 2 || lines.length > 60 ? [] : data.keys.filter((key) => key.recipe && key.all === undefined &&
    lines.some((line) => valueOf(key.key, line.runs[0]) !== valueOf(key.key, lines[0].runs[0])));
  for (const line of lines) {
    const run = line.runs[0], several = line.runs.length > 1;
    const settings = told.slice(0, 3).map((key) => `${key.key} = ${shown(key.key, run) || "–"}`);
    if (told.length > 3) settings.push("…");
    const seeds = new Set(line.runs.map((r) => valueOf("seed", r))).size;
    line.name = (shown("name", run) || "a run") +
      (several ? ` · ${line.runs.length} ${seeds === line.runs.length ? "seeds" : "runs"}` : ` ${shown("id", run)}`);
    line.settings = settings.join(", ");
  }
}

function niceTicks(low, high, count) {
  if (!(high > low)) high = low + Math.max(1e-6, Math.abs(low) * 0.1);
  const raw = (high - low) / Math.max(1, count - 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5].find((m) => m * power >= raw * 0.999) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9), many = Math.min(100, Math.ceil(high / step - 1e-9) - first);
  return Array.from({length: many + 1}, (_, i) => (first + i) * step);
}
const figure = (v) => String(Number((Math.abs(v) < 1e-12 ? 0 : v).toPrecision(4)));

const frame = {width: 460, height: 250, left: 46, right: 12, top: 8, bottom: 36};

function scaleOf(lines) {
  const xs = [], ys = [];
  for (const {curve} of lines) {
    xs.push(curve.x[0], curve.x.at(-1));
    for (const values of [curve.low ?? curve.y, curve.high ?? curve.y])
      ys.push(values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b)));
  }
  const x = [Math.min(...xs), Math.max(...xs)], ticks = niceTicks(Math.min(...ys), Math.max(...ys), 5);
  const y = [ticks[0], ticks.at(-1)];
  const part = (v, [low, high]) => (v - low) / Math.max(high - low, 1e-12);
  return {
    x, y, ticks,
    right: (v) => frame.left + part(v, x) * (frame.width - frame.left - frame.right),
    down: (v) => frame.height - frame.bottom - part(v, y) * (frame.height - frame.top - frame.bottom),
  };
}

function drawAxes(svg, scale, label) {
  const text = (x, y, content, anchor) => {
    const out = drawn("text", {x, y, "text-anchor": anchor});
    out.textContent = content;
    svg.append(out);
  };
  const base = frame.height - frame.bottom, right = frame.width - frame.right;
  for (const tick of scale.ticks) {
    const y = scale.down(tick).toFixed(1);
    svg.append(drawn("path", {class: "grid", d: `M${frame.left} ${y}H${right}`}));
    text(frame.left - 7, Number(y) + 4, figure(tick), "end");
  }
  for (const tick of niceTicks(...scale.x, 6))
    if (tick >= scale.x[0] && tick <= scale.x[1]) text(scale.right(tick).toFixed(1), base + 16, figure(tick), "middle");
  svg.append(drawn("path", {class: "axis", d: `M${frame.left} ${base}H${right}`}));
  text((frame.left + right) / 2, frame.height - 4, label, "middle");
}

function drawLines(svg, lines, scale) {
  const place = (x, y) => `${scale.right(x).toFixed(1)} ${scale.down(y).toFixed(1)}`;
  for (const line of lines) {
    const {x, low, high} = line.curve;
    if (low === undefined) continue;
    const there = x.map((v, i) => place(v, high[i])), back = x.map((v, i) => place(v, low[i])).reverse();
    line.band = drawn("path", {class: "band", d: `M${there.join("L")}L${back.join("L")}Z`});
    line.band.style.fill = line.colour;
    svg.append(line.band);
  }
  for (const line of lines) {
    const {x, y} = line.curve;
    const points = x.map((v, i) => place(v, y[i]));
    // A single point is seen as a dot.
    line.path = drawn("path", {class: "line", d: `M${points.join("L")}${points.length === 1 ? "h0.01" : ""}`,
                               "stroke-dasharray": line.dashes, "stroke-linecap": points.length === 1 ? "round" : "butt"});
    line.path.style.stroke = line.colour;
    if (points.length === 1) line.path.style.strokeWidth = 6;
    svg.append(line.path);
  }
}

/// Pointing at a line tells which it is and its value.
function letPoint(card, svg, lines, scale, unit) {
  const tip = element("div", "tip");
  tip.hidden = true;
  card.append(tip);
  const leave = () => {
    tip.hidden = true;
    svg.classList.remove("pointed");
    for (const line of lines) line.path.classList.remove("at"), line.band?.classList.remove("at");
  };
  svg.addEventListener("mousemove", (event) => {
    leave();
    const box = svg.getBoundingClientRect(), zoom = frame.width / box.width;
    const px = (event.clientX - box.left) * zoom, py = (event.clientY - box.top) * zoom;
    const share = (px - frame.left) / (frame.width - frame.left - frame.right);
    const x = scale.x[0] + share * (scale.x[1] - scale.x[0]);
    let best = null, nearest = 16;
    for (const line of lines) {
      const y = heightAt(line.curve, x);
      if (y !== null && Math.abs(scale.down(y) - py) < nearest) best = {line, y}, nearest = Math.abs(scale.down(y) - py);
    }
    if (best === null) return;
    svg.classList.add("pointed");
    best.line.path.classList.add("at");
    best.line.band?.classList.add("at");
    tip.textContent = `${best.line.name}: ${figure(best.y)} at ${unit} ${figure(x)}` +
      (best.line.settings ? ` (${best.line.settings})` : "");
    tip.hidden = false;
    const inCard = card.getBoundingClientRect();
    tip.style.top = `${event.clientY - inCard.top + 16}px`;
    tip.style.left = `${Math.max(0, Math.min(event.clientX - inCard.left + 12, inCard.width - tip.offsetWidth - 4))}px`;
  });
  svg.addEventListener("mouseleave", leave);
}

function drawChart(card, title, which, lines, join, overEpochs) {
  const head = element("h3");
  head.textContent = title;
  card.replaceChildren(head);
  const there = lines.map((line) => {
    const curves = line.runs.map((run) => curveOf(run, which, overEpochs));
    return {...line, curve: join ? joinedCurve(curves) : curves[0]};
  }).filter((line) => line.curve !== null);
  if (there.length === 0) {
    const empty = element("div", "empty");
    empty.textContent = lines.length === 0 ? "Tick runs to lay their curves over each other." : "No ticked run has this curve.";
    return card.append(empty);
  }
  const svg = drawn("svg", {viewBox: `0 0 ${frame.width} ${frame.height}`, class: "chart", role: "img"});
  svg.setAttribute("aria-label", `${title}: ${there.map((line) => line.name).slice(0, 12).join(", ")}`);
  const scale = scaleOf(there);
  drawAxes(svg, scale, overEpochs ? "epoch" : "optimiser step");
  drawLines(svg, there, scale);
  card.append(svg);
  letPoint(card, svg, there, scale, overEpochs ? "epoch" : "step");
}
)js";

}  // namespace nephron::host
