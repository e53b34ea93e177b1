"""Reports: averages against sums done by hand, and the page in a real browser."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import numpy as np
import pytest
from PIL import Image
from scipy import stats

from semwave.bench.report import figures, html, notebook, tables
from semwave.bench.report.data import read
from semwave.sweep.errors import SweepError
from semwave.sweep.store import Store

SCHEMES, SNRS, CBRS, NAMES = (
    ("conventional", "semwave"),
    (0, 5, 10),
    (1 / 48, 1 / 24),
    ("ape", "bee", "cat", "dog", "elk"),
)
RNG = np.random.default_rng(3)
SCORES = {(s, n, snr, c, seed): float(20 + 5 * (s == "semwave") + snr + RNG.normal())
          for s in SCHEMES for n in NAMES for snr in SNRS for c in CBRS for seed in (0, 1)}  # fmt: skip


def picture(kind: str, scheme: str) -> tuple[str, str, bytes]:
    rows, columns = np.mgrid[0:48, 0:64]
    image = np.stack([rows * 5, columns * 4, np.full_like(rows, 40 + 90 * (scheme == "semwave"))], -1).astype(np.uint8)
    image = (columns // 22).astype(np.uint8) if kind == "provenance" else image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return f"{kind}{scheme}"[:64], "image/png", file.getvalue()


def outcomes() -> Iterator[dict[str, Any]]:
    for (scheme, name, snr, cbr, seed), psnr in SCORES.items():
        keep = seed == 0 and name in NAMES[:2] and snr == 5
        params = {
            "scheme": scheme, "options": {}, "picture": {"name": f"{name}.png", "sha256": name}, "snr_db": snr,
            "cbr": cbr, "seed": seed, "channel": {"label": "TDL-C 300 ns 30 Hz"}, "metrics": ["psnr"], "stop": {},
            "keep": keep,
        }  # fmt: skip
        result = {"psnr": psnr, "lpips": 1 / psnr, "ok_share": 1.0, "status": "ok", "cbr_payload": cbr * 0.99,
                  "cbr_total": cbr * 1.4, "extras": {"codec": "avif <b>&</b>"}}  # fmt: skip
        kinds = ("original", "received", *(["provenance"] if scheme == "semwave" else []))
        pictures = {k: picture(k, "" if k == "original" else scheme) for k in kinds} if keep else {}
        yield {"key": f"{scheme}{name}{snr}{cbr:.3f}{seed}", "sweep": "pictures", "task": "picture", "version": "1.1",
               "params": params, "status": "ok", "reason": "limit", "result": result, "error": None, "seconds": 1.0,
               "pictures": pictures}  # fmt: skip
    for snr in range(0, 9, 2):
        ber = 10.0 ** (-1 - snr / 2) if snr < 8 else 0.0
        result = {
            "ber": ber, "ber_low": ber / 2, "ber_high": max(ber * 2, 1e-6), "bler": min(1, ber * 50),
            "bler_low": ber * 25, "bler_high": min(1.0, ber * 100), "bler_errors": 100, "bler_trials": 1000,
            "ber_theory": 10.0 ** (-1 - snr / 2), "throughput": 2 - snr / 9, "order": 4, "code": "uncoded",
            "profile": "awgn", "snr_db": snr, "bits_per_symbol": 2,
        }  # fmt: skip
        params = {"flowgraph": "ber", "set": {"order": 4, "snr_db": snr}, "seed": 0, "stop": {}}
        yield {"key": f"link{snr}", "sweep": "ber", "task": "link", "version": "1", "params": params, "status": "ok",
               "reason": "errors", "result": result, "error": None, "seconds": 1.0}  # fmt: skip
    yield {"key": "bad", "sweep": "ber", "task": "link", "version": "1", "params": {"set": {}}, "status": "error",
           "reason": None, "result": None, "error": "ValueError: <script>alert(1)</script>", "seconds": 1}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("report") / "a.sqlite", write=True) as made:
        hardware = {"cpu": "A processor", "cpus": 2, "memory": 8_000_000_000, "platform": "Linux", "workers": 2}
        run = made.begin_run(
            "semwave sweep pictures.toml", "2026-11-22T12:00:00", {"semwave": "0.1"}, hardware, ["ber"]
        )
        made.add(outcomes(), run)
        made.end_run(run, "2026-11-22T12:30:00", "failed points")
        yield made


def test_means_are_over_pictures_and_bands_are_students(store: Store) -> None:
    data = read(store)
    (panel,) = data.panels
    assert list(panel.schemes) == ["semwave", "conventional"]
    spot = next(s for s in panel.schemes["semwave"] if (s.snr_db, s.cbr) == (5, 1 / 24))
    each = [np.mean([SCORES["semwave", n, 5, 1 / 24, seed] for seed in (0, 1)]) for n in NAMES]
    found = spot.scores["psnr"]
    assert found.value == pytest.approx(np.mean(each))
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 4, np.mean(each), stats.sem(each)))
    assert (found.n, spot.pictures) == (5, 5)
    assert spot.cbr_total == pytest.approx(1.4 / 24)
    assert data.failures == [("ber", "ValueError: <script>alert(1)</script>", 1)]
    assert data.reasons == {"limit": 120, "errors": 5}


def test_differences_are_picture_by_picture(store: Store) -> None:
    rows = [r for r in read(store).comparisons if (r["snr_db"], r["cbr"], r["scheme"]) == (0, 1 / 48, "semwave")]
    psnr, lpips = (next(r for r in rows if r["score"] == name) for name in ("psnr", "lpips"))
    each = [np.mean([SCORES["semwave", n, 0, 1 / 48, k] - SCORES["conventional", n, 0, 1 / 48, k] for k in (0, 1)])
            for n in NAMES]  # fmt: skip
    assert psnr["difference"] == pytest.approx(np.mean(each))
    assert psnr["better_on"] == 1.0 == lpips["better_on"]
    assert lpips["difference"] < 0


def test_tables_as_csv_hold_every_number(store: Store) -> None:
    found = tables.by_name(read(store))
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(found["scores"]))))
    assert len(rows) == len(SCHEMES) * len(SNRS) * len(CBRS)
    assert all(float(r["psnr_low"]) < float(r["psnr"]) < float(r["psnr_high"]) for r in rows)
    rates = list(csv.DictReader(io.StringIO(tables.as_csv(found["rates"]))))
    assert [float(r["snr_db"]) for r in rates] == [0, 2, 4, 6, 8]
    assert {r["ended_on"] for r in rates} == {"errors"}


def test_a_newer_run_of_the_same_place_takes_over(tmp_path: Path) -> None:
    with Store(tmp_path / "b.sqlite", write=True) as store:
        for number in (1, 2):
            run = store.begin_run("c", "t", {}, {}, [])
            some = [o for o in outcomes() if o["task"] == "link" and o["status"] == "ok"]
            store.add([{**o, "key": f"{o['key']}{number}", "params": {**o["params"], "sha256": number},
                        "result": {**o["result"], "throughput": number}} for o in some], run)  # fmt: skip
        (curve,) = read(store).curves
        assert [r.result["throughput"] for r in curve.rates] == [2] * 5


def test_curves_are_told_apart_by_what_was_set(tmp_path: Path) -> None:
    with Store(tmp_path / "c.sqlite", write=True) as store:
        run = store.begin_run("c", "t", {}, {}, [])
        (one, *_) = (o for o in outcomes() if o["task"] == "link" and o["status"] == "ok")
        for number, more in enumerate(({}, {"decoder.algorithm": "spa"}, {"transmissions": 2}, {"count.errors": 9})):
            params = {**one["params"], "set": {"order": 4, "k": 8, "decoder.k": 8, "snr_db": number, **more}}
            store.add([{**one, "key": f"{number}", "params": params}], run)
        names = [c.name for c in read(store).curves]
    assert len(names) == 3
    assert sum("algorithm spa" in n for n in names) == 1
    assert sum("transmissions 2" in n for n in names) == 1


def test_figures_as_png_and_in_a_notebook(store: Store, tmp_path: Path) -> None:
    written = figures.save(store, tmp_path / "png")
    names = {f.name for f in written}
    assert "ber-ber.png" in names
    assert "pictures-tdl_c_300_ns_30_hz-psnr-over-snr-cbr_1_48.png" in names
    assert len(names) == len(written) == 3 * (2 + 2 * 3) + 2
    for file in written[:2]:
        with Image.open(file) as image:
            assert image.size == (1024, 672)
            assert np.asarray(image.convert("L")).std() > 5
    shown = notebook.figures(store)[0]._repr_html_()
    assert shown.startswith("<svg")
    text = notebook.open_store(str(store.path))._repr_html_()
    assert "126 points, 1 failed, 1 run" in text
    assert "conventional, semwave" in text


def test_several_scores_in_one_picture(store: Store, tmp_path: Path) -> None:
    file = figures.save_row(store, ["psnr", "lpips"], tmp_path / "new" / "row.png")
    with Image.open(file) as image:
        assert image.size == (2048, 752)
        grey = np.asarray(image.convert("L"))
    halves = [grey[:, :1024], grey[:, 1024:]]
    assert all(half.std() > 5 for half in halves)
    assert not np.array_equal(*halves)
    assert figures.save_row(store, ["lpips"], tmp_path / "one.png").is_file()
    with pytest.raises(
        SweepError, match=r"scores must be of those that .* has over SNR \(.*lpips.*psnr.*\), not 'dists'"
    ):
        figures.save_row(store, ["psnr", "dists"], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_the_page_is_whole(store: Store) -> None:
    text = html.page(store)
    assert not re.findall(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", text)
    assert "<script>alert" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert len(data["gallery"]) == 2
    assert len(data["images"]) == 3  # original and conventional are alike here, ours, its provenance: each once
    assert data["made"]["pictures"]["seeds"] == [0, 1]


def test_the_page_of_an_empty_store(tmp_path: Path) -> None:
    with Store(tmp_path / "empty.sqlite", write=True) as store:
        text = html.page(store)
    assert "Empty store" in text
    assert 'id="quality"' not in text


# ---- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    if browser.installed() is None:
        pytest.skip(f"no browser: none of {', '.join(browser.NAMES)} is installed")
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(html.page(store), encoding="utf-8")
    with browser.Browser() as opened:
        opened.open(file)
        yield opened


def test_it_loads_without_errors_and_without_a_network(page: browser.Browser) -> None:
    assert page.ask("document.documentElement.dataset.ready") == "yes"
    assert page.problems() == []
    assert [url for url in page.requests() if not url.startswith("file:")] == []
    assert len(page.requests()) == 1


def test_curves_are_drawn_and_follow_the_controls(page: browser.Browser) -> None:
    assert page.ask("document.querySelectorAll('#quality-charts figure').length") == 3
    lines = "document.querySelectorAll('#quality-charts figure:first-child polyline').length"
    assert page.ask(lines) == 2
    assert page.ask("document.querySelectorAll('#quality-charts figure:first-child polygon').length") == 2
    ticks = "[...document.querySelectorAll('#quality-charts figure:first-child svg text')].map(t => t.textContent)"
    assert "SNR, dB" in page.ask(ticks)
    page.ask("document.querySelector('#axis [data-axis=payload]').click()")
    assert {"1/48", "1/24", "CBR, payload"} <= set(page.ask(ticks))
    page.ask("document.querySelector('#axis [data-axis=total]').click()")
    assert "CBR, everything counted" in page.ask(ticks)
    page.ask("document.querySelector('#legend button').click()")
    assert page.ask(lines) == 1
    page.ask(
        "document.querySelector('#legend button').click(), document.querySelector('#axis [data-axis=snr]').click()"
    )
    assert page.ask(lines) == 2
    assert page.ask("document.querySelectorAll('#link-charts figure').length") == 2
    assert "semwave sweep pictures.toml" in page.ask("document.querySelector('#quality-made pre').textContent")


def test_a_value_shows_under_the_pointer(page: browser.Browser) -> None:
    page.ask("document.querySelector('#quality-charts svg').scrollIntoView({block: 'center'})")
    box = page.ask("(() => { const s = document.querySelector('#quality-charts svg');"
                   " const b = s.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")  # fmt: skip
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + box[2] / 2, y=box[1] + box[3] / 2)
    tip = page.ask("document.querySelector('#quality-charts .tip').innerText")
    assert "SNR, dB: 5" in tip
    assert "semwave" in tip
    assert "conventional" in tip


def test_the_slider_uncovers(page: browser.Browser) -> None:
    assert page.ask("document.querySelectorAll('.card').length") == 2
    slider = "document.querySelector('.compare input')"
    clip = "getComputedStyle(document.querySelector('.compare .over')).clipPath"
    before = page.ask(clip)
    page.ask(f"{slider}.focus()")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="End", code="End", windowsVirtualKeyCode=35)
    assert page.ask(f"{slider}.value") == "100"
    assert page.ask(clip) != before
    page.ask(f"{slider}.value = 20, {slider}.dispatchEvent(new Event('input'))")
    assert "80%" in page.ask(clip)
    assert page.ask("document.querySelector('.compare img').naturalWidth") == 64
    views = page.ask("[...document.querySelector('.card select').options].map(o => o.text)")
    assert views == ["original", "conventional", "semwave", "semwave: provenance"]
    right = "document.querySelectorAll('.card select')[1]"
    old = page.ask("document.querySelector('.compare img').src")
    page.ask(f"{right}.value = 3, {right}.dispatchEvent(new Event('change'))")
    assert page.ask("document.querySelector('.compare img').src") != old
    assert page.ask("document.querySelector('.compare b.r').textContent") == "semwave: provenance"


def test_tables_sort_and_filter(page: browser.Browser) -> None:
    column = "[...document.querySelectorAll('#table-scores tbody tr')].map(r => +r.cells[8].textContent)"
    head = "document.querySelectorAll('#table-scores th')[8]"
    page.ask(f"{head}.click()")
    rising = page.ask(column)
    assert rising == sorted(rising)
    assert page.ask(f"{head}.getAttribute('aria-sort')") == "ascending"
    page.ask(f"{head}.click()")
    assert page.ask(column) == rising[::-1]
    find = "document.querySelector('#tables input')"
    page.ask(f"{find}.value = 'conv', {find}.dispatchEvent(new Event('input'))")
    assert len(page.ask(column)) == len(rising) // 2
    page.ask(f"{find}.value = '', {find}.dispatchEvent(new Event('input'))")
    page.ask("document.querySelector('#tables button').click()")
    assert page.problems() == []


def test_light_and_dark(page: browser.Browser) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.ask(back)
    page.ask("document.getElementById('theme').click()")
    dark = page.ask(back)
    assert light != dark
    page.ask("document.getElementById('theme').click()")
    assert page.ask(back) == light
