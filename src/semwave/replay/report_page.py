"""The page that :mod:`semwave.replay.report` fills in: style and a little script, all of it inline."""

from semwave.replay.zoom_script import SCRIPT

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@@title@@: frames</title>
<style>
:root { --ink: #1c2733; --soft: #5d6b7a; --line: #dde3ea; --back: #fff; --card: #f7f9fb; --pick: #ffe9a8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7edf3; --soft: #9fb0c0; --line: #33404d; --back: #151b22; --card: #1d252e; --pick: #5a4a12; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 28px; max-width: 1320px; background: var(--back); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 14px; } h2 { font-size: 16px; margin: 28px 0 10px; }
dl { display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
img { width: 100%; border: 1px solid var(--line); border-radius: 6px; background: #fff; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 14px; }
.pictures img { width: 49%; margin-right: 1%; vertical-align: top; }
.pictures p { color: var(--soft); margin: 6px 0 0; }
.charts { display: grid; grid-template-columns: repeat(2, 1fr); gap: 14px; }
figure { margin: 0; padding: 10px 12px; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
figcaption { font-weight: 600; margin-bottom: 4px; }
svg { width: 100%; display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; } circle[data-frame] { cursor: pointer; }
circle.picked { stroke: var(--ink); stroke-width: 2; }
.cloud { grid-row: span 3; } canvas { width: 100%; display: block; margin: 8px auto 0; }
#cloud { max-width: 600px; } #zoom { cursor: crosshair; touch-action: none; } .hint { color: var(--soft); margin: 0; }
button { font: inherit; font-size: 13px; padding: 2px 10px; border: 1px solid var(--line); border-radius: 6px;
  background: var(--card); color: inherit; cursor: pointer; margin-left: 10px; }
.legend span { margin-right: 16px; white-space: nowrap; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 5px; margin-right: 5px; }
.scroll { overflow: auto; max-height: 620px; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: var(--card); text-align: left; cursor: pointer; white-space: nowrap; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); } td.n { text-align: right; }
td:not(:last-child) { white-space: nowrap; }
tr.bad td:nth-child(10) { color: #d2342b; font-weight: 600; } tr.other td:nth-child(10) { color: #b87503; }
tr.ok td:nth-child(10) { color: #2a9d60; } tr.picked td { background: var(--pick); }
td:nth-child(11) { font-family: ui-monospace, monospace; font-size: 12px; }
input { font: inherit; padding: 5px 9px; border: 1px solid var(--line); border-radius: 6px; background: var(--back);
  color: inherit; margin-bottom: 8px; width: 280px; }
@media (max-width: 900px) { .charts { grid-template-columns: 1fr; } dl { grid-template-columns: max-content 1fr; } }
@media print { .scroll { max-height: none; } input { display: none; } }
</style>
</head>
<body>
<h1>@@title@@</h1>
<dl>@@facts@@</dl>
<h2>Overview</h2>
@@overview@@
<h2>Look closer <button id="zoom-all" type="button">whole recording</button></h2>
<p class="hint">Wheel: zoom in time (with shift: in frequency). Drag: move. Click: a frame, or closer.
Double click: all.</p>
<canvas id="zoom" width="1800" height="640" role="img" aria-label="Spectrogram to zoom into"></canvas>
@@pictures@@
<h2>Over time</h2>
<p class="legend">@@legend@@</p>
<div class="charts">
<figure><figcaption>Carrier frequency offset</figcaption>@@cfo@@</figure>
<figure class="cloud"><figcaption id="cloud-name">Constellation</figcaption>
<canvas id="cloud" width="900" height="900"></canvas></figure>
<figure><figcaption>Error vector magnitude</figcaption>@@evm@@</figure>
<figure><figcaption>Signal-to-noise ratio</figcaption>@@snr@@</figure>
</div>
<h2>Frames</h2>
<input id="find" type="search" placeholder="show frames that contain ..." aria-label="filter frames">
<div class="scroll"><table id="frames"><thead><tr>@@heads@@</tr></thead><tbody>@@rows@@</tbody></table></div>
@@more@@
<script type="application/json" id="zoom-data">@@zoom@@</script>
<script type="application/json" id="clouds">@@clouds@@</script>
<script>
"use strict";
const clouds = JSON.parse(document.getElementById("clouds").textContent);
const body = document.querySelector("#frames tbody");
const rows = [...body.rows];
const canvas = document.getElementById("cloud"), pen = canvas.getContext("2d");
function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name); }
function draw(frame) {
  const lists = frame === null ? Object.values(clouds) : clouds[frame] ? [clouds[frame]] : [];
  const all = lists.flat(), count = all.length / 2, size = canvas.width;
  const far = all.map(Math.abs).sort((a, b) => a - b)[Math.floor(all.length * 0.995)] || 1000;
  const reach = Math.max(1200, Math.min(far * 1.15, 4000)), scale = size / 2 / reach;
  const what = frame === null ? "all frames" : "frame " + frame;
  document.getElementById("cloud-name").textContent = count ? "Constellation, " + what + ", " + count + " points"
    : "Constellation: not known for " + what;
  pen.clearRect(0, 0, size, size);
  pen.strokeStyle = css("--line"); pen.lineWidth = 2; pen.beginPath();
  for (let v = -4; v <= 4; v++) {
    const p = size / 2 + v * 1000 * scale;
    pen.moveTo(p, 0); pen.lineTo(p, size); pen.moveTo(0, p); pen.lineTo(size, p);
  }
  pen.stroke();
  pen.fillStyle = "#2f7ed8"; pen.globalAlpha = Math.max(0.12, Math.min(0.8, 400 / count));
  for (let i = 0; i < all.length; i += 2) {
    pen.beginPath();
    pen.arc(size / 2 + all[i] * scale, size / 2 - all[i + 1] * scale, 4, 0, 7);
    pen.fill();
  }
  pen.globalAlpha = 1;
}
function pick(frame) {
  const again = body.querySelector("tr.picked");
  const off = again !== null && again.dataset.frame === frame;
  document.querySelectorAll(".picked").forEach(e => e.classList.remove("picked"));
  if (!off) document.querySelectorAll('[data-frame="' + frame + '"]').forEach(e => e.classList.add("picked"));
  draw(off ? null : frame);
  zoomTo(off ? null : frame);
}
document.addEventListener("click", event => {
  const hit = event.target.closest("[data-frame]");
  if (!hit) return;
  pick(hit.dataset.frame);
  if (hit.tagName === "circle") body.querySelector("tr.picked")?.scrollIntoView({block: "nearest"});
});
const value = (row, i) => row.cells[i].dataset.v === undefined ? row.cells[i].textContent : +row.cells[i].dataset.v;
document.querySelectorAll("#frames th").forEach((head, i) => {
  const sort = () => {
    const down = head.dataset.sorted === "up";
    document.querySelectorAll("#frames th").forEach(h => delete h.dataset.sorted);
    head.dataset.sorted = down ? "down" : "up";
    rows.sort((a, b) => {
      const x = value(a, i), y = value(b, i);
      return (typeof x === "number" ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
    });
    body.append(...rows);
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
});
document.getElementById("find").addEventListener("input", event => {
  const wanted = event.target.value.toLowerCase();
  rows.forEach(row => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
});
draw(null);
@@script@@
paint();
</script>
</body>
</html>
""".replace("@@script@@", SCRIPT)
