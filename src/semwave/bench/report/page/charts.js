// Charts with a value under the pointer.
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
