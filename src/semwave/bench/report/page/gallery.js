// Pictures with a slider.
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
