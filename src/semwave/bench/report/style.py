# ruff: noqa: E501 (lines of CSS)
"""Colours, dashes and markers that the page and the PNG figures share.

The colours are Okabe and Ito's, which stay apart for the common kinds of colour blindness; dark backgrounds get
lighter ones. Dashes and markers tell curves apart without any colour.
"""

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#3a3a3a", "#56b4e9", "#8c6bb1")
DARK = ("#4aa8e8", "#ff8a3d", "#2fd0a3", "#e79ac6", "#e6b422", "#d6d6d6", "#8fd0f5", "#b79adf")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3", "9 3 2 3")
MARKERS = ("circle", "square", "triangle", "diamond", "triangle", "circle", "square", "diamond")
PROVENANCE = {"received": (0, 158, 115), "inferred": (86, 180, 233), "invented": (213, 94, 0)}

CSS = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5b6878; --line: #dfe4ea; --back: #fbfcfd; --card: #ffffff;
  --lift: 0 1px 2px rgba(20,30,45,.05), 0 4px 16px rgba(20,30,45,.05); --accent: #0072b2; --pick: #e8f2fa; @@light@@ }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { --ink: #e8edf2; --soft: #9aa8b7; --line: #2e3946;
  --back: #12171d; --card: #1a2129; --lift: none; --accent: #4aa8e8; --pick: #203243; @@dark@@ } }
:root[data-theme="dark"] { color-scheme: dark; --ink: #e8edf2; --soft: #9aa8b7; --line: #2e3946; --back: #12171d;
  --card: #1a2129; --lift: none; --accent: #4aa8e8; --pick: #203243; @@dark@@ }
:root[data-theme="light"] { color-scheme: light; }
* { box-sizing: border-box; } [hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
main, header { max-width: 1320px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 34px; display: flex; gap: 24px; align-items: flex-start; }
header > div { flex: 1; } h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -.01em; }
h2 { font-size: 20px; margin: 44px 0 12px; letter-spacing: -.01em; } h3 { font-size: 15px; margin: 0; } #link-charts h3 { margin-top: 26px; }
p { margin: 0 0 10px; } .soft, figcaption small { color: var(--soft); } a { color: var(--accent); }
nav { position: sticky; top: 0; z-index: 5; background: var(--back); border-bottom: 1px solid var(--line); margin-top: 18px; }
nav div { max-width: 1320px; margin: 0 auto; padding: 9px 28px; display: flex; gap: 22px; }
nav a { text-decoration: none; color: var(--soft); font-weight: 550; } nav a:hover { color: var(--ink); }
.facts { display: flex; flex-wrap: wrap; gap: 10px 30px; margin: 14px 0 0; padding: 0; list-style: none; }
.facts b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; } .facts span { color: var(--soft); }
.bar { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; margin: 12px 0; }
.bar label { color: var(--soft); display: flex; gap: 7px; align-items: center; }
select, button, input[type=search] { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 7px; padding: 5px 10px; } button { cursor: pointer; } button:hover, select:hover { border-color: var(--soft); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.choice { display: inline-flex; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.choice button { border: 0; border-radius: 0; } .choice button + button { border-left: 1px solid var(--line); }
.choice button[aria-pressed=true] { background: var(--pick); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 8px; margin: 10px 0 14px; }
.legend button { display: inline-flex; gap: 8px; align-items: center; padding: 3px 11px 3px 8px; border-radius: 20px; }
.legend button[aria-pressed=false] { opacity: .4; } .legend svg { width: 38px; height: 14px; flex: none; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(390px, 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 14px 8px;
  box-shadow: var(--lift); position: relative; }
figcaption { display: flex; justify-content: space-between; align-items: baseline; margin: 0 4px 2px; font-weight: 600; }
figcaption small { font-weight: 400; } figure svg { width: 100%; display: block; touch-action: pan-y; }
svg text { font: 12px system-ui, "Segoe UI", sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); } svg .axis { stroke: var(--soft); stroke-opacity: .5; }
.tip { position: absolute; pointer-events: none; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 7px 10px; font-size: 12.5px; box-shadow: 0 4px 18px rgba(0,0,0,.18); white-space: nowrap; z-index: 3; }
.tip i { display: inline-block; width: 9px; height: 9px; border-radius: 3px; margin-right: 7px; }
.tip td { padding: 0 0 0 12px; text-align: right; border: 0; } .tip td:first-child { padding: 0; text-align: left; }
.tip table { width: auto; }
details { margin: 12px 0; } summary { cursor: pointer; color: var(--soft); }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; overflow: auto;
  font: 12.5px/1.5 ui-monospace, monospace; white-space: pre-wrap; }
.cards { display: grid; align-items: start; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 18px; }
.card { padding: 12px; } .card .bar { margin: 8px 2px 4px; justify-content: space-between; gap: 6px; }
.card select { max-width: 46%; padding: 3px 6px; } .card p { margin: 4px 4px 2px; font-size: 13px; }
.compare { position: relative; overflow: hidden; border-radius: 8px; background: #808080; --at: 50%; line-height: 0; }
.compare img { width: 100%; display: block; } .compare .over { position: absolute; inset: 0; height: 100%;
  clip-path: inset(0 calc(100% - var(--at)) 0 0); }
.compare input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; }
.compare .rule { position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px; background: #fff;
  box-shadow: 0 0 0 1px rgba(0,0,0,.35); pointer-events: none; }
.compare .rule::after { content: "\\2194"; position: absolute; top: 50%; left: -14px; width: 30px; height: 30px;
  margin-top: -15px; border-radius: 50%; background: #fff; color: #222; font: 600 17px/30px system-ui; text-align: center;
  box-shadow: 0 1px 6px rgba(0,0,0,.4); }
.compare input:focus-visible ~ .rule { background: var(--accent); width: 4px; margin-left: -2px; }
.compare b { position: absolute; bottom: 8px; padding: 3px 8px; border-radius: 6px; background: rgba(15,20,26,.72); color: #fff;
  font: 600 12px/1.4 system-ui; pointer-events: none; } .compare b.l { left: 8px; } .compare b.r { right: 8px; }
.key i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 6px 0 14px; }
.scroll { overflow: auto; max-height: 540px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
.scroll th { position: sticky; top: 0; background: var(--card); cursor: pointer; white-space: nowrap; text-align: left;
  box-shadow: inset 0 -1px var(--line); user-select: none; } th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; } .scroll td { white-space: nowrap; } .scroll tbody tr:hover td { background: var(--pick); }
th[aria-sort=ascending]::after { content: " \\25b2"; } th[aria-sort=descending]::after { content: " \\25bc"; }
.bad { color: #c7372f; } footer { margin: 50px 0 40px; color: var(--soft); font-size: 13px; }
@media (max-width: 560px) { .charts, .cards { grid-template-columns: 1fr; } main, header { padding: 0 14px; } }
@media print { nav, .bar, .compare input { display: none; } .scroll { max-height: none; } figure { break-inside: avoid; } }
"""


def css() -> str:
    """The style sheet with the curves' colours as variables --c0, --c1 ..."""
    light, dark = (" ".join(f"--c{i}: {c};" for i, c in enumerate(colours)) for colours in (LIGHT, DARK))
    return CSS.replace("@@light@@", light).replace("@@dark@@", dark)
