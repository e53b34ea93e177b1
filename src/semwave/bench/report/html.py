"""The report as one HTML page that needs nothing else: no network, no other file."""

import base64
import html
import io
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from semwave.bench.report import style, tables
from semwave.bench.report.data import LOWER_IS_BETTER, NAMES, Data, Picture, Rate, read
from semwave.bench.report.references import references
from semwave.bench.report.script import script
from semwave.commands._terminal import counted
from semwave.sweep.store import Store
from semwave.sweep.values import short

MOST_PICTURES = 24
TITLES = {
    "scores": "Scores", "comparisons": "Differences to the reference, picture by picture on the same air",
    "rates": "Error rates",
}  # fmt: skip
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline';
 script-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>@@title@@</title><style>@@css@@</style></head><body>
<header><div><h1>@@title@@</h1><p class="soft">@@subtitle@@</p><ul class="facts">@@facts@@</ul></div>
<button id="theme" aria-label="light or dark">&#9681; light / dark</button></header>
<nav><div>@@nav@@</div></nav>
<main>@@sections@@
<footer>semwave @@version@@. Everything on this page is in this file; points, pictures and runs are in the store
@@store@@.</footer></main>
<script type="application/json" id="data">@@data@@</script>
<script>@@script@@</script>
</body></html>
"""
QUALITY = """<h2 id="quality">Quality</h2>
<div class="bar"><label>channel <select id="panel"></select></label>
<span class="choice" id="axis" role="group" aria-label="axis"><button data-axis="snr">over SNR</button><button
 data-axis="payload">over CBR, payload</button><button data-axis="total">over CBR, total</button></span>
<label><span id="fixed-name">CBR</span> <select id="fixed"></select></label></div>
<p class="soft">CBR: complex channel uses over 3 x height x width. <span id="quality-note"></span> A picture that is
lost is shown, and scored, as mid-grey.</p>
<div class="legend" id="legend"></div><div class="charts" id="quality-charts"></div><div id="quality-made"></div>"""
LINKS = """<h2 id="links">Links</h2>
<p class="soft">Bands: exact 95 % (Clopper-Pearson) intervals around counted errors, which are too narrow where errors
come in bursts (bit errors after a decoder, fading). Dashed: theory; crosses: other programs' results. A point without
an error has no place on a logarithmic axis; the table has its upper bound.</p>
<div id="link-charts"></div>"""
GALLERY = """<h2 id="gallery">Pictures</h2>
<div class="bar"><label>where <select id="place"></select></label><span class="key soft">provenance:@@key@@</span></div>
<p class="soft">Drag the handle (or use the arrow keys). Shown as WebP of quality 92; scores are of the exact
pictures.</p>
<div class="cards" id="cards"></div>"""
TABLES = '<h2 id="tables-head">Tables</h2><div id="tables"></div>'


def page(store: Store, title: str = "", most_pictures: int = MOST_PICTURES) -> str:
    """The report of a store."""
    data = read(store)
    gallery, images = _gallery(store, data, most_pictures)
    parts = [
        ("quality", "Quality", QUALITY if data.panels else ""),
        ("links", "Links", LINKS if data.curves else ""),
        ("gallery", "Pictures", _with_key(GALLERY) if gallery else ""),
        ("tables-head", "Tables", TABLES),
        ("runs", "Runs", _runs(data)),
    ]
    import semwave

    values = {
        "title": html.escape(title or _title(data)),
        "subtitle": html.escape(_subtitle(data)),
        "facts": _facts(data),
        "nav": "".join(f'<a href="#{i}">{name}</a>' for i, name, text in parts if text),
        "sections": "".join(text for *_, text in parts),
        "version": semwave.__version__,
        "store": html.escape(store.path.name),
        "css": style.css(),
        "script": script(),
        "data": _json(_payload(data, gallery, images)),
    }
    text = PAGE
    for key, value in values.items():
        text = text.replace(f"@@{key}@@", value)
    return text


def _title(data: Data) -> str:
    names = sorted(data.made)
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return ", ".join(names) or "Empty store"


def _subtitle(data: Data) -> str:
    ended = [r["ended"] or r["begun"] for r in data.runs]
    return f"Sweep report, {max(ended)[:16].replace('T', ' ')} UTC" if ended else "Sweep report"


def _facts(data: Data) -> str:
    schemes = {s for p in data.panels for s in p.schemes}
    known = [(data.points, "point"), (len(schemes), "scheme"), (len(data.panels), "channel"),
             (len(data.curves), "link curve"), (sum(n for *_, n in data.failures), "failed point")]  # fmt: skip
    ends = ", ".join(f"{n} on {reason}" for reason, n in sorted(data.reasons.items()) if reason)
    items = [f"<li><b>{n}</b><span>{what}{'s' * (n != 1)}</span></li>" for n, what in known if n]
    return "".join(items) + (f"<li><b>&nbsp;</b><span>points ended: {html.escape(ends)}</span></li>" if ends else "")


def _with_key(text: str) -> str:
    swatch = '<i style="background:rgb({},{},{})"></i>{}'
    return text.replace("@@key@@", "".join(swatch.format(*c, name) for name, c in style.PROVENANCE.items()))


def _runs(data: Data) -> str:
    rows = [
        f"{r['begun']}  {r['result'] or 'did not end'}\n  {r['command']}\n  "
        + ", ".join(f"{k} {v}" for k, v in r["versions"].items())
        + "\n  " + ", ".join(f"{k} {v}" for k, v in r["hardware"].items())
        for r in data.runs
    ]  # fmt: skip
    failed = "".join(
        f'<p class="bad">{counted(n, "point")} of {html.escape(sweep)} failed: {html.escape(message)}</p>'
        for sweep, message, n in data.failures
    )
    return f'<h2 id="runs">Runs</h2>{failed}<pre>{html.escape(chr(10).join(rows))}</pre>'


def _json(value: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _payload(data: Data, gallery: list[dict[str, Any]], images: list[str]) -> dict[str, Any]:
    found = tables.by_name(data)
    return {
        "names": NAMES, "lower": LOWER_IS_BETTER, "dashes": style.DASHES, "markers": style.MARKERS, "titles": TITLES,
        "panels": [_panel(p) for p in data.panels],
        "curves": [
            {"sweep": c.sweep, "name": c.name, "rates": [_rate(r) for r in c.rates], "references": references(c)}
            for c in data.curves
        ],
        "gallery": gallery, "images": images, "made": data.made,
        "runs": [{k: r[k] for k in ("id", "begun", "command", "versions", "hardware")} for r in data.runs],
        "tables": {name: [heads, [_rounded(r) for r in rows]] for name, (heads, rows) in found.items()},
        "csv": {name: tables.as_csv(t) for name, t in found.items()},
    }  # fmt: skip


def _panel(panel: Any) -> dict[str, Any]:
    def spot(s: Any) -> list[Any]:
        scores = {n: _rounded([m.value, m.low, m.high, m.n]) for n, m in s.scores.items()}
        return [*_rounded([s.snr_db, s.cbr, s.cbr_payload, s.cbr_total]), s.pictures, scores]

    schemes = [{"name": name, "spots": [spot(s) for s in spots]} for name, spots in panel.schemes.items()]
    return {"sweep": panel.sweep, "channel": panel.channel, "metrics": panel.metrics, "schemes": schemes}


def _rate(rate: Rate) -> dict[str, Any]:
    wanted = ("ber", "bler", "throughput", "bicm_capacity", "ber_theory", "evm_percent", "code")
    ends = ("", "_low", "_high")
    known = {f"{w}{e}": rate.result[f"{w}{e}"] for w in wanted for e in ends if f"{w}{e}" in rate.result}
    return {"snr_db": rate.snr_db, **known}


def _rounded(row: Iterable[Any]) -> list[Any]:
    return [float(f"{v:.6g}") if isinstance(v, float) else v for v in row]


# ---- pictures --------------------------------------------------------------------------------------------------------


def _gallery(store: Store, data: Data, most: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Cards by picture, and every image once as a data URI."""
    images: dict[str, int] = {}
    cards: dict[str, dict[str, Any]] = {}
    for p in data.gallery:
        if p.name not in cards and len(cards) >= most:
            continue
        kept = store.pictures(p.key)
        if "received" not in kept or "original" not in kept:
            continue

        def number(media: str, blob: bytes) -> int:
            return images.setdefault(f"data:{media};base64,{base64.b64encode(blob).decode()}", len(images))

        card = cards.setdefault(p.name, {"name": p.name, "original": number(*kept["original"]), "items": []})
        item = {"place": _place(p), "scheme": p.scheme, "image": number(*kept["received"]), "about": p.about}
        if "provenance" in kept:
            item["provenance"] = number("image/webp", tinted(kept["received"][1], kept["provenance"][1]))
        card["items"].append({**item, "scores": {k: float(f"{v:.5g}") for k, v in p.scores.items()}})
    return list(cards.values()), list(images)


def _place(p: Picture) -> str:
    return f"{p.channel}, SNR {p.snr_db:g} dB, CBR {short(p.cbr)}"


def tinted(picture: bytes, provenance: bytes) -> bytes:
    """The picture in grey under the colours of received, inferred, invented, as WebP."""
    from PIL import Image

    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), np.float32)[..., None]
    kinds = np.asarray(Image.open(io.BytesIO(provenance)))
    tint = np.array(list(style.PROVENANCE.values()), np.float32)[np.minimum(kinds, 2)]
    file = io.BytesIO()
    Image.fromarray(np.clip(0.55 * grey + 0.45 * tint, 0, 255).astype(np.uint8)).save(file, "WEBP", quality=85)
    return file.getvalue()
