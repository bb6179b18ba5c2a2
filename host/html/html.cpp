#include <host/html/html.hpp>

namespace nephron::host {

namespace {

// Colours are variables, so that charts (inline SVG) follow light and dark as the text does.
constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#16181d;--soft:#5b616e;--line:#e2e3e0;--grid:#ecece9;
--s0:#2a78d6;--s1:#1b9e6f;--s2:#d18a00;--s3:#4a3aa7;--s4:#d93f3e;--s5:#00777c;--good:#12a150;--bad:#e5322d}
@media (prefers-color-scheme:dark){:root{--page:#131417;--card:#1c1e22;--ink:#eceef2;--soft:#a0a6b3;--line:#30333a;
--grid:#282b31;
--s0:#5a9cf0;--s1:#35c08c;--s2:#e0a52e;--s3:#a096f0;--s4:#f07170;--s5:#3fb4ba;--good:#2ecc71;--bad:#ff6b64}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1180px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px;letter-spacing:-.01em}
h2{font-size:18px;margin:40px 0 12px}
h3{font-size:14px;margin:0 0 8px;font-weight:600}
p{margin:0 0 10px}.soft{color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:24px 0 0}.tiles .tile{flex:1 1 auto}.tile b{white-space:nowrap}
.tile,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}
.tile{padding:14px 16px}.tile b{display:block;font-size:24px;font-weight:650;line-height:1.25;
font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:13px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:16px}
.card{padding:16px;overflow-x:auto}.card+.card{margin-top:16px}.charts .card+.card{margin-top:0}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:12px;font-family:inherit}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;color:var(--soft);font-size:13px}
.legend i{display:inline-block;width:16px;height:3px;border-radius:2px;vertical-align:middle;margin-right:6px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:7px 12px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600;font-size:13px}
tbody tr:last-child td{border-bottom:0}.card table+p{margin-top:12px}.card p:last-child{margin-bottom:0}
tr.sum td{font-weight:650}
.facts td{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}
.facts td:first-child{color:var(--soft);width:180px}
.bar{display:inline-block;width:110px;height:7px;border-radius:4px;background:var(--grid);margin-right:10px;
vertical-align:middle;overflow:hidden}
.bar i{display:block;height:100%;background:var(--s0)}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:12px}
figure{margin:0}figure img{display:block;width:100%;border-radius:6px;border:1px solid var(--line)}
figcaption{color:var(--soft);font-size:13px;margin-top:6px}
.before{display:grid;grid-template-columns:1fr 1fr;gap:4px}.before figcaption{grid-column:1/3;overflow-wrap:anywhere}
.title{display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap}.title span{color:var(--soft);
font-variant-numeric:tabular-nums}
.heat{display:inline-block;width:90px;height:8px;border-radius:4px;vertical-align:middle;margin:0 6px;
background:linear-gradient(90deg,#000004,#57106e,#bc3754,#f98e09,#fcffa4)}
pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;white-space:pre;tab-size:2}
details summary{cursor:pointer;font-weight:600}details[open] summary{margin-bottom:10px}
.fault{color:var(--bad)}
@media print{body{background:#fff}.card,.tile{break-inside:avoid}}
)css";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string html_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table><thead><tr>";
  for (const std::string& cell : head) out += "<th>" + cell + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) out += "<td>" + cell + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string html_page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n"
         // Nothing is ever fetched, whatever a name in an experiment says.
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src "
         "'unsafe-inline'\">\n<title>" +
         escaped(title) + "</title>\n<style>" + std::string(style) + "</style>\n</head>\n<body>\n<main>\n" + body +
         "</main>\n</body>\n</html>\n";
}

}  // namespace nephron::host
