// What all parts use: elements, numbers, the look of a curve. The parts share one script element of the page.
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
