# ruff: noqa: E501 (lines of JavaScript)
"""The page's own script: charts with a value under the pointer, the gallery's sliders, tables that sort."""

SCRIPT = r"""
"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) {
    if (k.startsWith("on")) node.addEventListener(k.slice(2), v); else node.setAttribute(k, v);
  }
  node.append(...children);
  return node;
}
const SVG = "http://www.w3.org/2000/svg";
function sv(tag, attributes = {}, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  if (text !== null) node.textContent = text;
  return node;
}
function number(v, digits = 4) {
  if (v === null || v === undefined) return "";
  if (v !== 0 && (Math.abs(v) < 1e-3 || Math.abs(v) >= 1e6)) return v.toExponential(2);
  return String(+v.toPrecision(digits));
}
function ratio(v) {
  const n = Math.round(1 / v);
  return v < 1 && Math.abs(1 / v - n) < 1e-3 * n ? "1/" + n : number(v, 3);
}
const styleOf = (i) => {
  const turn = (i + Math.floor(i / 8)) % 8; // the ninth curve has the first one's colour and another dash and marker
  return { color: "var(--c" + i % 8 + ")", dash: D.dashes[turn], marker: D.markers[turn] };
};

// ---- charts ---------------------------------------------------------------------------------------------------
function mark(kind, x, y, color, r = 3.6) {
  const at = { fill: color, stroke: "var(--card)", "stroke-width": 1 };
  if (kind === "square") return sv("rect", { ...at, x: x - r, y: y - r, width: 2 * r, height: 2 * r });
  if (kind === "triangle") return sv("path", { ...at, d: `M${x} ${y - r - 1}l${r + 1} ${2 * r}h${-2 * r - 2}z` });
  if (kind === "diamond") return sv("path", { ...at, d: `M${x} ${y - r - 1.4}l${r + 1.4} ${r + 1.4}l${-r - 1.4} ${r + 1.4}l${-r - 1.4} ${-r - 1.4}z` });
  if (kind === "cross") return sv("path", { d: `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`, stroke: color, "stroke-width": 1.6 });
  return sv("circle", { ...at, cx: x, cy: y, r });
}
function steps(low, high, most) {
  const rough = (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(+(i * step).toPrecision(12));
  return found;
}
function decades(low, high) {
  const found = [];
  for (let e = Math.ceil(Math.log10(low) - 1e-9); e <= Math.floor(Math.log10(high) + 1e-9); e++) found.push(10 ** e);
  return found;
}
function power(v) {
  const e = Math.round(Math.log10(v)), up = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  return e === 0 ? "1" : "10" + (e < 0 ? "⁻" : "") + [...String(Math.abs(e))].map((c) => up[+c]).join("");
}
function scale(values, log, from, to, room) {
  let low = Math.min(...values), high = Math.max(...values);
  if (log) {
    let a = Math.log10(low), b = Math.log10(high);
    if (b - a < 1e-9) { a -= 0.15; b += 0.15; }
    const pad = room * (b - a);
    a -= pad; b += pad;
    return { at: (v) => from + (Math.log10(v) - a) / (b - a) * (to - from), low: 10 ** a, high: 10 ** b };
  }
  if (high - low < 1e-9) { low -= Math.abs(low) * 0.05 || 0.5; high += Math.abs(high) * 0.05 || 0.5; }
  const pad = room * (high - low);
  low -= pad; high += pad;
  return { at: (v) => from + (v - low) / (high - low) * (to - from), low, high };
}
// The values to make room for: all means, and intervals as far as they leave the means room to be told apart.
function spread(points, good, log) {
  const means = points.map((p) => p.y).filter(good), ends = points.flatMap((p) => [p.lo, p.hi]).filter(good);
  if (!means.length) return ends;
  if (log) return [...means, ...ends.map((v) => Math.max(v, Math.min(...means) / 10))];
  const low = Math.min(...means), high = Math.max(...means), room = Math.max(0.3 * (high - low), 0.01 * Math.abs(high), 1e-6);
  return [...means, ...ends.map((v) => Math.min(Math.max(v, low - room), high + room))];
}
// spec: { title, note, xLabel, logX, ratioX, logY, series: [{ name, color, dash, marker, line, points: [{ x, y, lo, hi }] }] }
function chart(spec) {
  const W = 460, H = 300, L = 52, R = 14, T = 10, B = 40;
  const figure = el("figure", {}, el("figcaption", {}, spec.title, el("small", {}, spec.note || "")));
  const shown = spec.series.filter((s) => s.points.length);
  const svg = sv("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": spec.title });
  figure.append(svg);
  if (!shown.length) {
    svg.append(sv("text", { x: W / 2, y: H / 2, "text-anchor": "middle" }, "nothing to show"));
    return figure;
  }
  const all = shown.flatMap((s) => s.points);
  const good = (v) => v !== null && v !== undefined && (!spec.logY || v > 0);
  const ys = spread(all, good, spec.logY);
  const X = scale(all.map((p) => p.x), spec.logX, L, W - R, 0.04);
  const Y = scale(ys.length ? ys : [0.1, 1], spec.logY, H - B, T, 0.06);
  const clamp = (v) => Y.at(Math.min(Math.max(v, Y.low), Y.high));
  for (const t of spec.logY ? decades(Y.low, Y.high) : steps(Y.low, Y.high, 6)) {
    svg.append(sv("line", { class: "grid", x1: L, x2: W - R, y1: Y.at(t), y2: Y.at(t) }));
    svg.append(sv("text", { x: L - 7, y: Y.at(t) + 4, "text-anchor": "end" }, spec.logY ? power(t) : number(t)));
  }
  let before = -99;
  const own = [...new Set(all.map((p) => p.x))].sort((a, b) => a - b);
  const ticks = spec.ratioX ? own : spec.logX ? [1, 2, 5].flatMap((m) => decades(X.low / m, X.high / m).map((d) => m * d)).sort((a, b) => a - b) : steps(X.low, X.high, 8);
  for (const t of ticks) {
    const x = X.at(t);
    svg.append(sv("line", { class: "grid", x1: x, x2: x, y1: T, y2: H - B }));
    if (x - before < 34) continue;
    svg.append(sv("text", { x, y: H - B + 16, "text-anchor": "middle" }, spec.ratioX ? ratio(t) : number(t)));
    before = x;
  }
  svg.append(sv("line", { class: "axis", x1: L, x2: W - R, y1: H - B, y2: H - B }));
  svg.append(sv("text", { x: (L + W - R) / 2, y: H - 5, "text-anchor": "middle" }, spec.xLabel));
  for (const s of shown) {
    const band = s.points.filter((p) => good(p.lo) && good(p.hi) && p.hi > p.lo);
    if (band.length > 1 && s.line !== "theory") {
      const up = band.map((p) => `${X.at(p.x)},${clamp(p.hi)}`), down = band.map((p) => `${X.at(p.x)},${clamp(p.lo)}`).reverse();
      svg.append(sv("polygon", { points: [...up, ...down].join(" "), fill: s.color, "fill-opacity": 0.13 }));
    } else if (s.line !== "theory") {
      for (const p of band) svg.append(sv("line", { x1: X.at(p.x), x2: X.at(p.x), y1: clamp(p.lo), y2: clamp(p.hi), stroke: s.color, "stroke-opacity": 0.5 }));
    }
  }
  for (const s of shown) {
    const line = s.points.filter((p) => good(p.y));
    if (s.line !== "none") {
      svg.append(sv("polyline", { points: line.map((p) => `${X.at(p.x)},${Y.at(p.y)}`).join(" "), fill: "none", stroke: s.color,
        "stroke-width": s.line === "theory" ? 1.2 : 2, "stroke-dasharray": s.dash, "stroke-linejoin": "round", "stroke-opacity": s.line === "theory" ? 0.75 : 1 }));
    }
    if (s.line !== "theory") for (const p of line) svg.append(mark(s.marker, X.at(p.x), Y.at(p.y), s.color));
  }
  hover(figure, svg, spec, shown, own, X, W, H, T, B);
  return figure;
}
function hover(figure, svg, spec, shown, own, X, W, H, T, B) {
  const rule = sv("line", { class: "axis", y1: T, y2: H - B, visibility: "hidden" });
  const tip = el("div", { class: "tip", hidden: "" });
  svg.append(rule);
  figure.append(tip);
  const leave = () => { tip.hidden = true; rule.setAttribute("visibility", "hidden"); };
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), at = (event.clientX - box.left) / box.width * W;
    const near = own.reduce((a, b) => Math.abs(X.at(b) - at) < Math.abs(X.at(a) - at) ? b : a);
    const rows = shown.flatMap((s) => s.points.filter((p) => Math.abs(p.x - near) < 1e-9 * Math.max(1, Math.abs(near))).map((p) => [s, p]));
    if (!rows.length) return leave();
    const body = el("table");
    for (const [s, p] of rows) {
      const swatch = el("i", { style: "background:" + s.color });
      const band = p.hi > p.lo ? number(p.lo, 3) + " … " + number(p.hi, 3) : "";
      body.append(el("tr", {}, el("td", {}, swatch, s.name), el("td", {}, number(p.y)), el("td", { class: "soft" }, band)));
    }
    tip.replaceChildren(el("div", { class: "soft" }, spec.xLabel + ": " + (spec.ratioX ? ratio(near) : number(near))), body);
    tip.hidden = false;
    rule.setAttribute("x1", X.at(near)); rule.setAttribute("x2", X.at(near)); rule.setAttribute("visibility", "visible");
    const outer = figure.getBoundingClientRect(), x = event.clientX - outer.left;
    tip.style.left = Math.max(4, x + 16 + tip.offsetWidth > outer.width ? x - tip.offsetWidth - 16 : x + 16) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY - outer.top + 12, outer.height - tip.offsetHeight - 4)) + "px";
  });
}
function legend(target, names, hidden, redraw) {
  target.replaceChildren(...names.map((name, i) => {
    const s = styleOf(i), svg = sv("svg", { viewBox: "0 0 38 14" });
    svg.append(sv("line", { x1: 1, x2: 37, y1: 7, y2: 7, stroke: s.color, "stroke-width": 2, "stroke-dasharray": s.dash }), mark(s.marker, 19, 7, s.color));
    return el("button", { "aria-pressed": String(!hidden.has(name)), title: "show or hide", onclick: () => {
      hidden.has(name) ? hidden.delete(name) : hidden.add(name); redraw();
    } }, svg, name);
  }));
}
function options(select, values, text, keep) {
  const old = keep ? select.value : null;
  select.replaceChildren(...values.map((v) => el("option", { value: String(v) }, text(v))));
  if (values.map(String).includes(old)) select.value = old;
}
const unique = (values) => [...new Set(values)];

// ---- quality --------------------------------------------------------------------------------------------------
const hidden = new Set();
const quality = { axis: "snr" };
const XS = { snr: ["SNR, dB", 0], payload: ["CBR, payload", 2], total: ["CBR, everything counted", 3] };
const interval = (m) => m[3] >= 5 ? { lo: m[1], hi: m[2] } : {};
function drawQuality() {
  const panel = D.panels[+$("panel").value], spots = panel.schemes.flatMap((s) => s.spots);
  const cbrs = unique(spots.map((s) => s[1])).sort((a, b) => a - b), snrs = unique(spots.map((s) => s[0])).sort((a, b) => a - b);
  $("axis").hidden = cbrs.length < 2;
  if (cbrs.length < 2) quality.axis = "snr";
  for (const b of $("axis").children) b.setAttribute("aria-pressed", String(b.dataset.axis === quality.axis));
  const bySnr = quality.axis === "snr", values = bySnr ? cbrs : snrs;
  $("fixed-name").textContent = bySnr ? "CBR (payload)" : "SNR";
  options($("fixed"), values, (v) => bySnr ? ratio(v) : v + " dB", true);
  const fixed = +$("fixed").value, [xLabel, column] = XS[quality.axis];
  const names = panel.schemes.map((s) => s.name);
  legend($("legend"), names, hidden, drawQuality);
  $("quality-charts").replaceChildren(...panel.metrics.map((metric) => chart({
    title: D.names[metric] || metric, note: D.lower.includes(metric.replace(/_key$/, "")) ? "lower is better" : "higher is better",
    xLabel, logX: !bySnr, ratioX: quality.axis === "payload",
    series: panel.schemes.map((s, i) => ({ name: s.name, ...styleOf(i), points: s.spots
      .filter((p) => p[bySnr ? 1 : 0] === fixed && p[5][metric])
      .map((p) => ({ x: quality.axis === "payload" ? p[1] : p[column], y: p[5][metric][0], ...interval(p[5][metric]) })) }))
      .filter((s) => !hidden.has(s.name)),
  })));
  const n = unique(spots.map((s) => s[4]));
  $("quality-note").textContent = `Means over ${n.length === 1 ? n[0] : Math.min(...n) + " to " + Math.max(...n)} pictures; bands, from five pictures on, are 95 % intervals of the mean.`;
  $("quality-made").replaceChildren(made(panel.sweep));
}
function setUpQuality() {
  options($("panel"), D.panels.map((_, i) => i), (i) => D.panels[i].channel + (unique(D.panels.map((p) => p.sweep)).length > 1 ? " (" + D.panels[i].sweep + ")" : ""));
  $("panel").addEventListener("change", drawQuality);
  $("fixed").addEventListener("change", drawQuality);
  for (const b of $("axis").children) b.addEventListener("click", () => { quality.axis = b.dataset.axis; drawQuality(); });
  drawQuality();
}
function made(sweep) {
  const m = D.made[sweep], runs = D.runs.filter((r) => m.runs.includes(r.id));
  const text = runs.map((r) => `${r.begun}  ${r.command}\n  ${Object.entries(r.versions).map(([k, v]) => k + " " + v).join(", ")}\n  ${r.hardware.cpu}, ${r.hardware.cpus} cores, ${(r.hardware.memory / 1e9).toFixed(0)} GB, ${r.hardware.platform}, ${r.hardware.workers} workers`).join("\n");
  return el("details", {}, el("summary", {}, "How this was made: command, versions, seeds, hardware"),
    el("pre", {}, `${text}\nseeds ${m.seeds.join(", ")}; ${m.versions.join("; ")}`));
}

// ---- links ----------------------------------------------------------------------------------------------------
function drawLinks() {
  const box = $("link-charts");
  box.replaceChildren();
  for (const sweep of unique(D.curves.map((c) => c.sweep))) {
    const curves = D.curves.filter((c) => c.sweep === sweep), off = new Set();
    const keys = el("div", { class: "legend" }), charts = el("div", { class: "charts" });
    const draw = () => {
      legend(keys, curves.map((c) => c.name), off, draw);
      const series = (pick) => curves.map((c, i) => ({ name: c.name, ...styleOf(i), points: c.rates.map(pick).filter(Boolean) })).filter((s) => !off.has(s.name));
      const theory = (pick) => curves.map((c, i) => ({ name: c.name + ", theory", ...styleOf(i), dash: "3 3", line: "theory", points: c.rates.map(pick).filter(Boolean) })).filter((s) => s.points.length && !off.has(s.name.replace(/, theory$/, "")));
      const rate = (name) => (r) => r[name] === undefined ? null : { x: r.snr_db, y: r[name] > 0 ? r[name] : null, lo: r[name + "_low"], hi: r[name + "_high"] };
      const plain = (name) => (r) => r[name] === undefined || r[name] === null ? null : { x: r.snr_db, y: r[name] };
      const coded = curves.some((c) => c.rates.some((r) => r.code !== "uncoded"));
      const specs = [{ title: "Bit error rate", logY: true, series: [...series(rate("ber")), ...theory(plain("ber_theory"))] }];
      if (coded) specs.push({ title: "Block error rate", logY: true, series: [...series(rate("bler")), ...references(curves, off)] });
      specs.push({ title: "Throughput, bit a symbol", note: coded ? "dashed: BICM capacity" : "blocks without an error", series: [...series(plain("throughput")), ...(coded ? theory(plain("bicm_capacity")) : [])] });
      if (curves.some((c) => c.rates.some((r) => r.evm_percent))) specs.push({ title: "EVM, %", note: "decision directed", series: series(plain("evm_percent")) });
      charts.replaceChildren(...specs.map((s) => chart({ xLabel: "SNR (Es/N0), dB", ...s })));
    };
    draw();
    box.append(el("h3", {}, sweep), keys, charts, made(sweep));
  }
}
function references(curves, off) {
  return curves.map((c, i) => ({ name: c.name + ", published", ...styleOf(i), marker: "cross", line: "none", points: (c.references || []).map((r) => ({ x: r[0], y: r[1] })) })).filter((s, i) => s.points.length && !off.has(curves[i].name));
}

// ---- gallery --------------------------------------------------------------------------------------------------
function drawGallery() {
  const place = $("place").value;
  $("cards").replaceChildren(...D.gallery.filter((g) => g.items.some((i) => i.place === place)).map((g) => card(g, place)));
}
function card(picture, place) {
  const items = picture.items.filter((i) => i.place === place);
  const views = [{ name: "original", image: picture.original, about: "" }];
  for (const i of items) {
    views.push({ name: i.scheme, image: i.image, about: i.about, item: i });
    if (i.provenance) views.push({ name: i.scheme + ": provenance", image: i.provenance, about: "", item: i });
  }
  const find = (test, otherwise) => { const at = views.findIndex((v) => v.item && test(v.name)); return at < 0 ? otherwise : at; };
  const top = el("img", { class: "over", alt: "" }), under = el("img", { alt: "" });
  const left = el("select", { "aria-label": "left picture" }), right = el("select", { "aria-label": "right picture" });
  const slider = el("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "how much of the left picture is seen" });
  const tags = [el("b", { class: "l" }), el("b", { class: "r" })], text = el("p", { class: "soft" });
  const compare = el("div", { class: "compare" }, under, top, slider, el("span", { class: "rule" }), ...tags);
  slider.addEventListener("input", () => compare.style.setProperty("--at", slider.value + "%"));
  for (const select of [left, right]) options(select, views.map((_, i) => i), (i) => views[i].name);
  left.value = 0;
  right.value = find((n) => n.startsWith("semwave"), Math.min(1, views.length - 1));
  const show = () => {
    const [a, b] = [views[+left.value], views[+right.value]];
    top.src = D.images[a.image]; under.src = D.images[b.image];
    top.alt = a.name + " of " + picture.name; under.alt = b.name + " of " + picture.name;
    tags[0].textContent = a.name; tags[1].textContent = b.name;
    text.replaceChildren(...[a, b].filter((v) => v.item).map((v) => el("span", {}, el("strong", {}, v.item.scheme + ": "), scoresOf(v.item), el("br"))));
  };
  left.addEventListener("change", show);
  right.addEventListener("change", show);
  show();
  return el("figure", { class: "card" }, el("figcaption", {}, picture.name), compare, el("div", { class: "bar" }, left, right), text);
}
function scoresOf(item) {
  const known = Object.entries(item.scores).filter(([k]) => k in D.names && k !== "ok_share").slice(0, 6);
  const told = known.map(([k, v]) => (D.names[k].replace(", dB", "")) + " " + number(v, 3)).join(", ");
  return told + (item.about ? "; " + item.about : "");
}

// ---- tables ---------------------------------------------------------------------------------------------------
function table(name, heads, rows) {
  const body = el("tbody"), numeric = heads.map((_, c) => rows.some((r) => typeof r[c] === "number"));
  const find = el("input", { type: "search", placeholder: "filter", "aria-label": "filter " + name });
  let order = rows.map((_, i) => i), sorted = { column: -1, down: false };
  const draw = () => {
    const wanted = find.value.toLowerCase();
    const seen = order.map((i) => rows[i]).filter((r) => !wanted || r.join(" ").toLowerCase().includes(wanted));
    body.replaceChildren(...seen.slice(0, 2000).map((r) => el("tr", {}, ...r.map((v, c) =>
      el("td", numeric[c] ? { class: "n" } : {}, typeof v === "number" ? (heads[c].startsWith("cbr") && heads[c] === "cbr" ? ratio(v) : number(v)) : v ?? "")))));
  };
  const head = el("tr", {}, ...heads.map((h, c) => {
    const cell = el("th", { tabindex: 0, "aria-sort": "none", ...(numeric[c] ? { class: "n" } : {}) }, h);
    const sort = () => {
      sorted = { column: c, down: sorted.column === c && !sorted.down };
      const value = (i) => rows[i][c] ?? (numeric[c] ? -Infinity : "");
      order.sort((a, b) => (numeric[c] ? value(a) - value(b) : String(value(a)).localeCompare(String(value(b)))) * (sorted.down ? -1 : 1) || a - b);
      for (const other of head.children) other.setAttribute("aria-sort", "none");
      cell.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
      draw();
    };
    cell.addEventListener("click", sort);
    cell.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(); } });
    return cell;
  }));
  find.addEventListener("input", draw);
  draw();
  const save = el("button", { onclick: () => {
    const link = el("a", { download: name + ".csv", href: URL.createObjectURL(new Blob([D.csv[name]], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  } }, "CSV");
  return el("div", {}, el("div", { class: "bar" }, el("h3", {}, D.titles[name]), find, save),
    el("div", { class: "scroll" }, el("table", { id: "table-" + name }, el("thead", {}, head), body)));
}

$("theme").addEventListener("click", () => {
  const root = document.documentElement, dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
if (D.panels.length) setUpQuality();
if (D.curves.length) drawLinks();
if (D.gallery.length) {
  options($("place"), unique(D.gallery.flatMap((g) => g.items.map((i) => i.place))), (v) => v);
  $("place").addEventListener("change", drawGallery);
  drawGallery();
}
$("tables").append(...Object.entries(D.tables).map(([name, t]) => table(name, t[0], t[1])));
document.documentElement.dataset.ready = "yes";
"""
