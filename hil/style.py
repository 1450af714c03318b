"""How the report looks: one sheet for the page and its plots, in the light and in the dark."""

from __future__ import annotations

STYLE = """
:root{--bg:#fff;--fg:#1c2733;--dim:#667585;--line:#d8dfe6;--soft:#f4f7f9;--ok:#1a8f55;--okbg:#dff3e8;--bad:#c62f2f;
--badbg:#fbe3e1;--late:#a86a00;--latebg:#fdf0d5;--blue:#2266bb;--violet:#7a4fb5;--bar:#cfe3f7;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--bg:#12181f;--fg:#dde5ec;--dim:#8d9baa;--line:#2d3845;--soft:#1a222b;--ok:#4ccb8c;
--okbg:#143526;--bad:#ff7b72;--badbg:#44201f;--late:#e8b04a;--latebg:#3d2f12;--blue:#6cb0ff;--violet:#b794f4;--bar:#24415f}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg);max-width:1120px;margin:0 auto;
padding:24px}
h1{font-size:24px;margin:0 0 8px}h2{font-size:18px;margin:0 0 2px;display:flex;gap:10px;align-items:center}
section{border-top:1px solid var(--line);padding:22px 0}
.sub,.clause,figcaption{color:var(--dim);font-size:13px}.sub{margin:0 0 10px}
.counts{display:flex;gap:10px;margin:12px 0}.count{padding:6px 14px;border-radius:8px}.count b{font-size:20px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:12px 0}dt{color:var(--dim)}dd{margin:0}
table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;color:var(--dim);font-weight:500;font-size:13px}
td,th{padding:4px 10px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
code{font-size:13px;overflow-wrap:anywhere}.note{color:var(--bad)}a{color:var(--blue);text-decoration:none}
.overview td:nth-child(2){white-space:nowrap}.overview td:last-child{color:var(--dim);font-size:13px}
.overview th.group{padding:14px 0 4px;color:var(--fg);font-weight:600}.overview td.summary{color:var(--bad)!important}
.findings td:first-child{max-width:220px;min-width:90px}
.pill{font-size:12px;font-weight:600;padding:1px 9px;border-radius:9px;white-space:nowrap}
.pill.passed,.count.passed{background:var(--okbg);color:var(--ok)}
.pill.late,.count.late{background:var(--latebg);color:var(--late)}
.pill.wrong,.count.wrong,.pill.failed,.count.failed{background:var(--badbg);color:var(--bad)}
.pill.skipped,.count.skipped{background:var(--soft);color:var(--dim)}
details{margin:8px 0}summary{cursor:pointer;color:var(--dim);font-size:14px}
figure{margin:14px 0 4px;overflow-x:auto}svg{width:100%;min-width:720px;height:auto;display:block}
.log{font-size:12.5px;font-family:ui-monospace,monospace}.log td{padding:1px 10px 1px 0;border:0}
.log .event td{color:var(--blue);font-weight:600}.log .fault td{color:var(--bad)}.log .console td{color:var(--dim)}
svg text{font:11px system-ui,sans-serif;fill:var(--dim)}svg .name{fill:var(--fg);font-size:12px}
svg text.event{fill:var(--blue);font-weight:600}
svg text.in{fill:var(--fg);font-size:11px;paint-order:stroke;stroke:var(--soft);stroke-width:3px}
svg .track{fill:var(--soft)}svg .grid{stroke:var(--line);stroke-width:.6}svg .tick{stroke:var(--dim)}
svg path.event{stroke:var(--blue);stroke-dasharray:3 3;stroke-width:1}svg .flag{fill:var(--blue)}
svg .line{fill:none;stroke-width:1.6;stroke-linejoin:round}svg .cp{stroke:var(--blue)}
svg .duty_percent{stroke:var(--violet)}
svg .voltage_V{stroke:var(--late)}svg .current_A{stroke:var(--ok)}
svg .beside{stroke-width:1;stroke-dasharray:4 3;opacity:.75;fill:none;stroke:var(--dim)}
svg .closed{fill:var(--ok);opacity:.65}svg .fault{fill:var(--bad);opacity:.35}
svg .allowed{fill:var(--bar)}svg .guard{fill:var(--bar);opacity:.55}svg .deadline{stroke:var(--bad);stroke-width:2}
svg circle{stroke:var(--bg);stroke-width:1.5}svg circle.passed{fill:var(--ok)}
svg circle.late{fill:var(--late)}svg circle.wrong{fill:var(--bad)}
svg .cross{fill:var(--bad);font-size:16px;font-weight:700}
@media(max-width:640px){body{padding:12px}h1{font-size:20px}h2{font-size:16px;flex-wrap:wrap}
.counts{flex-wrap:wrap}dl{grid-template-columns:1fr}dd,.sub,p,li,summary{overflow-wrap:anywhere}dd{margin:0 0 6px}
.overview,.findings,.log{display:block}
.overview :is(tbody,tr,td),.findings :is(tbody,tr,td){display:block;border:0;padding:0;text-align:left}
.overview tr,.findings tr{border-bottom:1px solid var(--line);padding:8px 0}
.overview th:not(.group),.findings th,td:empty{display:none!important}
.overview th.group{display:block;border:0;padding:8px 0 0}
.overview td:nth-child(2),.num{white-space:normal;overflow-wrap:anywhere}
.findings td:first-child{max-width:none}.overview td:nth-child(4)::before{content:"met "}
.findings td:nth-child(3)::before{content:"after "}.findings td:nth-child(4)::before{content:"deadline "}
.log tr{display:grid;grid-template-columns:60px 60px 1fr}.log td{overflow-wrap:anywhere}.log tbody{display:block}}
@media print{details{break-inside:avoid}section{break-before:page}}
""".replace("\n", "")
