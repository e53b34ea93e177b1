// Tables that sort, filter and save as CSV.
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
