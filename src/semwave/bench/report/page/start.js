// Put the page together.
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
