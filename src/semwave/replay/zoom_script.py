"""The script of the report's zoomable spectrogram: wheel and drag to zoom and move, a click picks a frame."""

SCRIPT = """
const zoomed = JSON.parse(document.getElementById("zoom-data").textContent);
const look = document.getElementById("zoom"), ink = look.getContext("2d");
const LEFT = 110, RIGHT = 10, TOP = 10, BOTTOM = 64;
const whole = zoomed ? {t0: zoomed.time[0], t1: zoomed.time[1], f0: zoomed.freq[0], f1: zoomed.freq[1]} : null;
let view = whole ? {...whole} : null, picked = null;
function picture(address) { const p = new Image(); p.onload = paint; p.src = address; return p; }
const wide = zoomed ? picture(zoomed.wide) : null;
const tiles = zoomed ? zoomed.tiles.map(t => ({...t, image: null})) : [];
const atX = t => LEFT + (t - view.t0) / (view.t1 - view.t0) * (look.width - LEFT - RIGHT);
const atY = f => look.height - BOTTOM - (f - view.f0) / (view.f1 - view.f0) * (look.height - TOP - BOTTOM);
function steps(low, high, most) {
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough), found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++)
    found.push([i * step, (i * step).toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))]);
  return found;
}
function paint() {
  if (!view) return;
  const w = look.width, h = look.height;
  ink.clearRect(0, 0, w, h);
  ink.save();
  ink.beginPath(); ink.rect(LEFT, TOP, w - LEFT - RIGHT, h - TOP - BOTTOM); ink.clip();
  ink.imageSmoothingEnabled = false;
  const put = (image, t0, t1) => {
    if (image.complete) ink.drawImage(image, atX(t0), atY(whole.f1), atX(t1) - atX(t0), atY(whole.f0) - atY(whole.f1));
  };
  put(wide, whole.t0, whole.t1);
  for (const tile of tiles) {
    const left = atX(tile.time[0]), right = atX(tile.time[1]);
    if (right < LEFT || left > w || right - left < 60) continue;
    if (!tile.image) tile.image = picture(tile.png);
    put(tile.image, tile.time[0], tile.time[1]);
  }
  ink.font = "24px system-ui, sans-serif";
  for (const [frame, t0, t1, f0, f1, label, tone] of zoomed.boxes) {
    const x = atX(t0), width = atX(t1) - x, y = atY(Math.min(f1, whole.f1)), tall = atY(Math.max(f0, whole.f0)) - y;
    if (x + width < LEFT || x > w) continue;
    ink.strokeStyle = tone === "ok" ? "#fff" : tone === "bad" ? "#ff5a4f" : "#ffb84d";
    ink.lineWidth = frame === picked ? 5 : 2;
    ink.strokeRect(x, y, Math.max(width, 1), tall);
    if (width > ink.measureText(label).width + 12) {
      ink.fillStyle = "#000a"; ink.fillRect(x + 2, y + 2, ink.measureText(label).width + 10, 31);
      ink.fillStyle = "#fff"; ink.fillText(label, x + 7, y + 25);
    }
  }
  ink.restore();
  ink.font = "24px system-ui, sans-serif"; ink.fillStyle = css("--soft");
  ink.strokeStyle = css("--soft"); ink.lineWidth = 1;
  ink.strokeRect(LEFT, TOP, w - LEFT - RIGHT, h - TOP - BOTTOM);
  ink.textAlign = "center";
  for (const [t, text] of steps(view.t0, view.t1, 9)) ink.fillText(text, atX(t), h - BOTTOM + 24);
  ink.fillText("time, " + zoomed.unit, (LEFT + w) / 2, h - 6);
  ink.textAlign = "right";
  for (const [f, text] of steps(view.f0, view.f1, 7)) ink.fillText(text, LEFT - 8, atY(f) + 7);
  ink.save(); ink.translate(20, h / 2); ink.rotate(-Math.PI / 2); ink.textAlign = "center";
  ink.fillText(zoomed.ftitle + ", " + zoomed.funit, 0, 0); ink.restore(); ink.textAlign = "left";
}
function place(event) {
  const box = look.getBoundingClientRect();
  const x = (event.clientX - box.left) * look.width / box.width;
  const y = (event.clientY - box.top) * look.height / box.height;
  return [view.t0 + (x - LEFT) / (look.width - LEFT - RIGHT) * (view.t1 - view.t0),
          view.f0 + (look.height - BOTTOM - y) / (look.height - TOP - BOTTOM) * (view.f1 - view.f0)];
}
function keep(low, high, least, most) {
  const size = Math.min(high - low, most - least), start = Math.min(Math.max(low, least), most - size);
  return [start, start + size];
}
function move(t0, t1, f0, f1) {
  if (t1 - t0 < (whole.t1 - whole.t0) * 1e-7 || f1 - f0 < (whole.f1 - whole.f0) * 1e-3) return;
  [view.t0, view.t1] = keep(t0, t1, whole.t0, whole.t1);
  [view.f0, view.f1] = keep(f0, f1, whole.f0, whole.f1);
  paint();
}
function zoomTo(frame) {
  picked = frame === null ? null : +frame;
  if (!view) return;
  const box = zoomed.boxes.find(b => b[0] === picked);
  if (box) { const m = Math.max((box[2] - box[1]) * 0.1, 1e-9); move(box[1] - m, box[2] + m, whole.f0, whole.f1); }
  else { view = {...whole}; paint(); }
}
if (view) {
  look.addEventListener("wheel", event => {
    event.preventDefault();
    const [t, f] = place(event), k = event.deltaY < 0 ? 0.8 : 1.25;
    const kf = event.shiftKey ? k : 1, kt = event.shiftKey ? 1 : k;
    move(t - (t - view.t0) * kt, t + (view.t1 - t) * kt, f - (f - view.f0) * kf, f + (view.f1 - f) * kf);
  }, {passive: false});
  let held = null, dragged = false;
  look.addEventListener("pointerdown", event => {
    held = place(event); dragged = false; look.setPointerCapture(event.pointerId);
  });
  look.addEventListener("pointermove", event => {
    if (!held) return;
    const [t, f] = place(event);
    if (Math.abs(atX(t) - atX(held[0])) + Math.abs(atY(f) - atY(held[1])) > 6) dragged = true;
    if (dragged) move(view.t0 + held[0] - t, view.t1 + held[0] - t, view.f0 + held[1] - f, view.f1 + held[1] - f);
  });
  look.addEventListener("pointerup", event => {
    const [t, f] = held || place(event); held = null;
    if (dragged) return;
    const slack = (view.t1 - view.t0) * 0.003;
    const hit = zoomed.boxes.find(b => t >= b[1] - slack && t <= b[2] + slack && f >= b[3] && f <= b[4]);
    if (hit) pick(String(hit[0]));
    else { const k = 0.25; move(t - (t - view.t0) * k, t + (view.t1 - t) * k, view.f0, view.f1); }
  });
  look.addEventListener("dblclick", () => { view = {...whole}; paint(); });
  document.getElementById("zoom-all").addEventListener("click", () => { view = {...whole}; paint(); });
}
"""
