#include <host/runs_page/page_scripts.hpp>

namespace nephron::host {

const std::string_view runs_page_style = R"css(
main{max-width:1720px}
#page .charts{margin:20px 0 8px;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}
#page .charts .card{position:relative;padding:14px 16px}
.chart path{fill:none;stroke-width:1.8;stroke-linejoin:round}
.chart .band{stroke:none;opacity:.18}
.chart .grid{stroke:var(--grid)}.chart .axis{stroke:var(--soft);stroke-opacity:.6}
.chart.pointed .line,.chart.pointed .band{opacity:.12}.chart.pointed .line.at{opacity:1;stroke-width:2.6}
.chart.pointed .band.at{opacity:.3}
.tip{position:absolute;z-index:2;pointer-events:none;padding:4px 9px;border-radius:6px;background:var(--ink);
color:var(--page);font-size:13px;max-width:340px;overflow-wrap:anywhere}
.empty{display:grid;place-items:center;min-height:200px;color:var(--soft)}
.lines{display:flex;flex-wrap:wrap;gap:6px 8px;margin:10px 0 0;max-height:132px;overflow:auto}
.lines button{display:inline-flex;align-items:center;gap:8px;max-width:100%;text-align:left}
.lines svg{width:26px;height:8px;flex:none}.lines path{fill:none;stroke-width:2.4}
#page button,#page select,#page input[type=search]{font:inherit;font-size:13px;color:var(--ink);background:var(--card);
border:1px solid var(--line);border-radius:7px;padding:4px 10px}
#page button{cursor:pointer}#page button:hover,#page select:hover{border-color:var(--soft)}
#page :focus-visible{outline:2px solid var(--s0);outline-offset:1px}
.tools{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin:22px 0 10px}
.tools input[type=search]{flex:1 1 320px;padding:7px 12px!important}
.tools label{font-size:13px;display:inline-flex;gap:6px;align-items:center;white-space:nowrap}
#page .said{font-size:13px;color:var(--soft);margin:0 0 8px;min-height:1.5em}#page .said.fault{color:var(--fault)}
.choose{position:relative}.choose summary{list-style:none;cursor:pointer;font-size:13px;font-weight:400;
border:1px solid var(--line);border-radius:7px;padding:5px 12px;background:var(--card)}
.choose[open] summary{margin:0}.choose summary:hover{border-color:var(--soft)}
.choose div.box{position:absolute;right:0;z-index:5;margin-top:6px;width:min(440px,88vw);background:var(--card);
border:1px solid var(--line);border-radius:10px;padding:12px;box-shadow:0 8px 28px rgb(0 0 0/.22)}
.choose .box input[type=search]{width:100%}.choose .all{max-height:46vh;overflow:auto;margin-top:8px}
.choose .all label{display:flex;padding:2px 0;white-space:normal;overflow-wrap:anywhere}
.choose .all p{margin:10px 0 2px;color:var(--soft);font-size:13px}
.runs{max-height:78vh;overflow:auto;padding:0!important}
.runs table{font-size:14px}.runs th{position:sticky;top:0;z-index:1;background:var(--card);cursor:pointer;
user-select:none;box-shadow:inset 0 -1px var(--line);border-bottom:0}
.runs th:hover{color:var(--ink)}.runs th[aria-sort]::after{content:" ▴"}
.runs th[aria-sort=descending]::after{content:" ▾"}
.runs td,.runs th{padding:5px 12px;max-width:340px;overflow:hidden;text-overflow:ellipsis}
.runs th:first-child,.runs td:first-child{width:1px;padding-right:4px}
.runs .words{text-align:left}.runs tbody tr:hover{background:color-mix(in srgb,var(--s0) 8%,transparent)}
.runs tr.ticked{background:color-mix(in srgb,var(--s0) 12%,transparent)}
.runs input{margin:0;vertical-align:middle;width:15px;height:15px}
#page .runs td button{padding:0 8px;border-radius:9px;font-size:12px}
.runs a{color:var(--s0)}
@media print{.tools,.choose,.runs input,#page .runs td button{display:none}.runs{max-height:none;overflow:visible}
.runs th{position:static}}
)css";

}  // namespace nephron::host
