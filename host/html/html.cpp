#include <host/html/html.hpp>

#include <vector>

#include <host/html/base64.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace {

// Colours are variables, so that charts (inline SVG) follow light and dark as the text does.
constexpr std::string_view style = R"css(
:root{color-scheme:light dark;--page:#f7f7f5;--card:#fff;--ink:#16181d;--soft:#5b616e;--line:#e2e3e0;--grid:#ecece9;
--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b8578d;--s4:#c98500;--s5:#3a9bd9;--fault:#c62b20;--good:#009e73;--bad:#d55e00}
@media (prefers-color-scheme:dark){:root{--page:#131417;--card:#1c1e22;--ink:#eceef2;--soft:#a0a6b3;--line:#30333a;
--grid:#282b31;
--s0:#56b4e9;--s1:#f2853f;--s2:#2bbf94;--s3:#e29bc4;--s4:#f0b93a;--s5:#8fd0f5;--fault:#ff7a70;--good:#2bbf94;--bad:#f2853f}}
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
.card+.charts,.charts+.card{margin-top:16px}.legend+h3{margin-top:16px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:16px}
.charts.two{grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr))}
.card{padding:16px;overflow-x:auto}.card+.card{margin-top:16px}.charts .card+.card{margin-top:0}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:12px;font-family:inherit}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 0;color:var(--soft);font-size:13px}
.legend i{display:inline-block;width:16px;height:3px;border-radius:2px;vertical-align:middle;margin-right:6px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:7px 12px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600;font-size:13px}
tbody tr:last-child td{border-bottom:0}tr.sum td{font-weight:650}
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
background:linear-gradient(90deg,#440154,#3b528b,#21918c,#5ec962,#fde725)}
pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;white-space:pre;tab-size:2}
details summary{cursor:pointer;font-weight:600}details[open] summary{margin-bottom:10px}
.fault{color:var(--fault)}
.block{height:10px!important;border-radius:2px!important}.note{margin:10px 0 0;font-size:13px}
.line{width:22px!important}.line.truth{background:#000;outline:1.5px solid #fff}
.line.found{background:#0072b2;outline:1.5px solid #fff}
h2{break-after:avoid}h3 .soft{font-weight:400}h3{break-after:avoid}
.sortable{max-height:640px;overflow:auto}.sortable th{position:sticky;top:-16px;background:var(--card);cursor:pointer;
user-select:none}.sortable th:hover{color:var(--ink)}.sortable th[aria-sort]::after{content:" ▴"}
.sortable th[aria-sort=descending]::after{content:" ▾"}
.sortable th:focus-visible,.look:focus-visible,input:focus-visible{outline:2px solid var(--s0);outline-offset:2px}
.shade{display:inline-block;min-width:72px;padding:2px 8px;border-radius:4px;text-align:center;
background:color-mix(in srgb,var(--s0) calc(var(--share)*.65),transparent)}
.crops{display:grid;grid-template-columns:repeat(auto-fill,minmax(168px,1fr));gap:14px 12px;margin:0 0 24px}
.crop svg{border-radius:8px;border:1px solid var(--line);aspect-ratio:1}
.crop path{fill:none;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.crop .edge{stroke:#fff;stroke-width:4.5;stroke-opacity:.8}.crop path.truth{stroke:#000;stroke-width:2}
.crop path.found{stroke:#0072b2;stroke-width:2}.crop path.edge{stroke:#fff;stroke-width:4.5}
.crop svg:hover path{opacity:0}.crop figcaption{line-height:1.45;overflow-wrap:anywhere}
.gone{aspect-ratio:1;border:1px dashed var(--line);border-radius:8px;padding:12px;font-size:13px;overflow:hidden}
.look{color:inherit;text-decoration:underline;text-decoration-color:var(--line);text-underline-offset:2px}
.look:hover{color:var(--ink)}.looking input{font:inherit;width:min(100%,420px);padding:4px 8px;border-radius:6px;
border:1px solid var(--line);background:var(--card);color:var(--ink)}
.looking.asked{outline:2px solid var(--s0);outline-offset:6px;border-radius:4px}
code{font:13px ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.change td{text-align:left;white-space:normal;overflow-wrap:anywhere;vertical-align:top}.change td+td{font:13px/1.5
ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace}.change th{text-align:left}.change td:first-child{white-space:nowrap}
.change summary{font-weight:400}
@media print{:root{--page:#fff;--card:#fff;--ink:#16181d;--soft:#555b66;--line:#d9dad7;--grid:#ecece9;--s0:#0072b2;
--s1:#d55e00;--s2:#009e73;--s3:#b8578d;--s4:#c98500;--s5:#3a9bd9;--fault:#c62b20;--good:#009e73;--bad:#d55e00}
body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}
.tile,.crop,figure,tr,.charts .card{break-inside:avoid}.card{overflow:visible}.sortable{max-height:none;overflow:visible}
.sortable th{position:static}.looking{display:none}.charts{grid-template-columns:1fr 1fr}
.crops{grid-template-columns:repeat(6,1fr);gap:8px}.crop figcaption{font-size:9px}th,td{padding:3px 8px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:10px}h1{font-size:20px}h2{font-size:14px;margin-top:22px}
h3,.legend,.note,.tile span,.soft{font-size:11px}th{font-size:10px;white-space:normal}.tiles{gap:8px;margin-top:14px}
.tile{padding:8px 12px}.tile b{font-size:16px}.screen{display:none}}
)css";

/// As a page's policy names a script.
std::string sha256_base64(std::string_view text) {
  const std::string hex = sha256_of_text(text);
  std::vector<unsigned char> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return base64(bytes);
}

}  // namespace

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

std::string chart_html(const Chart& chart) {
  if (!anything_in(chart)) return {};
  std::string legend;
  for (const Series& s : chart.series) {
    if (s.name.empty()) continue;
    const bool block = s.marks != Marks::line;
    legend += "<span><i " + std::string(block ? "class=\"block\" " : "") + "style=\"background:var(--s" +
              std::to_string(s.colour % series_colours) + (s.faint ? ");opacity:.45" : ")") + "\"></i>" +
              escaped(s.name) + "</span>";
  }
  return "<div class=\"card\"><h3>" + escaped(chart.title) +
         "</h3><svg viewBox=\"0 0 460 250\" role=\"img\" "
         "aria-label=\"" +
         escaped(chart.title) + "\">\n" + chart_elements(chart) + "</svg>" +
         (legend.empty() ? "" : "<div class=\"legend\">" + legend + "</div>") + "</div>\n";
}

std::string html_page(const std::string& title, const std::string& body, std::string_view script) {
  // Nothing is ever fetched and no other script run, whatever a name in an experiment says.
  const std::string policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'" +
                             (script.empty() ? std::string() : "; script-src 'sha256-" + sha256_base64(script) + "'");
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"" +
         policy + "\">\n<title>" + escaped(title) + "</title>\n<style>" + std::string(style) +
         "</style>\n</head>\n<body>\n<main>\n" + body + "</main>\n" +
         (script.empty() ? std::string() : "<script>" + std::string(script) + "</script>\n") + "</body>\n</html>\n";
}

}  // namespace nephron::host
