// Error rates beside theory and references.
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
