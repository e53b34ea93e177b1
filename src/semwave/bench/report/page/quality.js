// Scores over SNR and bandwidth.
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
  $("quality-note").textContent = `Means over ${n.length === 1 ? n[0] : Math.min(...n) + " to " + Math.max(...n)} picture${n.length === 1 && n[0] === 1 ? "" : "s"}; bands, from five pictures on, are 95 % intervals of the mean.`;
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
