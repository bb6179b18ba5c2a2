#include <host/runs_page/page_scripts.hpp>

namespace nephron::host {

std::string runs_page_script() {
  return "\"use strict\";\n{\n" + std::string(facts_script) + std::string(lines_script) + std::string(table_script) +
         "}\n";
}

const std::string_view facts_script = R"js(
const data = JSON.parse(document.getElementById("data").textContent);
const runCount = data.recipes.length;
const keys = new Map(data.keys.map((key) => [key.key, key]));

function valueOf(name, run) {
  const key = keys.get(name);
  if (key === undefined) return null;
  if (key.all !== undefined) return key.all;
  if (key.values !== undefined) return key.values[run];
  return key.at[run] < 0 ? null : key.texts[key.at[run]];
}

function duration(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return s >= 60 ? `${Math.floor(s / 60)} min ${two(s % 60)} s` : `${s} s`;
}

function shown(name, run) {
  const value = valueOf(name, run), as = keys.get(name)?.as;
  if (value === null) return "";
  if (typeof value === "string") {
    if (as === "time") return value.slice(0, 16).replace("T", " ");
    return name === "tag" ? value.replaceAll("\n", " ") : value;
  }
  if (as === "seconds") return duration(value);
  if (Number.isInteger(value)) return String(value);
  return as === "share" ? value.toFixed(4) : String(Number(value.toPrecision(6)));
}

// Filters as `nephron runs list` has them: true, false, or null where a run lacks the key.
const operators = ["==", "!=", "<=", ">=", "=", "<", ">", "~"];
const anyRunMayHave = new Set(["dice", "error", "note", "tag"]);

function holds(op, a, b) {
  switch (op) {
    case "!=": return a !== b;
    case "<": return a < b;
    case "<=": return a <= b;
    case ">": return a > b;
    case ">=": return a >= b;
    case "~": return String(a).includes(b);
    default: return a === b;
  }
}

function compare(name, op, text, number, value) {
  if (value === null) return null;
  if (typeof value === "number" && number !== null && op !== "~") return holds(op, value, number);
  if (name === "tag") {
    const any = value.split("\n").some((tag) => holds(op === "!=" ? "=" : op, tag, text));
    return op === "!=" ? !any : any;
  }
  return holds(op, String(value), text);
}

function parseFilter(text) {
  let at = 0;
  const fault = (what) => { throw new Error(what); };
  const blanks = () => { while (at < text.length && /\s/.test(text[at])) ++at; };
  const take = (word) => {
    blanks();
    const end = at + word.length;
    if (!text.startsWith(word, at) || (end < text.length && !" \t\r\n()\"'".includes(text[end]))) return false;
    at = end;
    return true;
  };
  const word = (ends) => {
    blanks();
    if (text[at] === '"' || text[at] === "'") {
      const close = text.indexOf(text[at], at + 1);
      if (close < 0) fault("a quote that nothing closes");
      const inner = text.slice(at + 1, close);
      at = close + 1;
      return inner;
    }
    const begin = at;
    while (at < text.length && !ends.includes(text[at])) ++at;
    return text.slice(begin, at);
  };
  const comparison = () => {
    const name = word(" \t\r\n()=!<>~");
    if (name === "") fault("a key is missing: KEY OP VALUE, such as dice>0.9");
    blanks();
    const op = operators.find((one) => text.startsWith(one, at));
    if (op === undefined) fault(`"${name}" is compared with nothing: KEY OP VALUE, such as dice>0.9`);
    if (!keys.has(name) && !anyRunMayHave.has(name)) fault(`no run here has "${name}"`);
    at += op.length;
    blanks();
    const quoted = text[at] === '"' || text[at] === "'";
    const value = word(" \t\r\n()=<>");
    if (value === "" && !quoted) fault(`"${name}" lacks a value`);
    const number = !quoted && /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : null;
    return (run) => compare(name, op, value, number, valueOf(name, run));
  };
  const negated = (depth) => {
    if (depth > 200) fault("nested too deeply");
    if (take("not")) {
      const inner = negated(depth + 1);
      return (run) => { const one = inner(run); return one === null ? null : !one; };
    }
    blanks();
    if (text[at] !== "(") return comparison();
    ++at;
    const inner = joined("or", depth + 1);
    blanks();
    if (text[at] !== ")") fault("a \"(\" that nothing closes");
    ++at;
    return inner;
  };
  const joined = (kind, depth) => {
    const parts = [];
    do parts.push(kind === "or" ? joined("and", depth) : negated(depth)); while (take(kind));
    const decides = kind === "or";
    return (run) => {
      let out = !decides;
      for (const part of parts) {
        const one = part(run);
        if (one === decides) return decides;
        if (one === null) out = null;
      }
      return out;
    };
  };
  const whole = joined("or", 0);
  blanks();
  if (at < text.length) fault(`it goes on where it should end: ${text.slice(at)}`);
  return (run) => whole(run) === true;
}

// Words that all stand somewhere in what a run shows; with an operator among them, a filter.
function matcher(text, columns) {
  if (/[=<>~]/.test(text)) return parseFilter(text);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const names = [...new Set([...columns, "name", "id", "tag", "note", "run"])];
  return (run) => {
    if (words.length === 0) return true;
    const all = names.map((name) => shown(name, run)).join("\n").toLowerCase();
    return words.every((one) => all.includes(one));
  };
}
)js";

}  // namespace nephron::host
