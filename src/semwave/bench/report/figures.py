"""The report's figures by matplotlib: PNG files, and SVG for notebooks."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semwave.bench.report import style
from semwave.bench.report.data import LOWER_IS_BETTER, NAMES, Curve, Data, Panel, read
from semwave.bench.report.references import references
from semwave.sweep.errors import SweepError
from semwave.sweep.store import Store
from semwave.sweep.values import short

SIZE, LEGEND, DPI = (6.4, 4.2), 0.5, 160  # inches; of the legend below a row
DASHES = ("-", (0, (5, 2)), (0, (1, 2)), (0, (6, 2, 1, 2)))
MARKS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}


@dataclass(frozen=True)
class Figure:
    """One figure: a file name without an ending, a title, and how to draw it; notebooks show it as SVG."""

    name: str
    title: str
    draw: Callable[[Any], None]
    score: str = ""
    over: str = ""

    def figure(self) -> Any:
        """A matplotlib figure, of no display."""
        from matplotlib.figure import Figure as Canvas

        canvas = Canvas(figsize=SIZE, layout="constrained")
        axes = canvas.add_subplot()
        self.onto(axes)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False)
        return canvas

    def onto(self, axes: Any) -> None:
        """Draw it, all but its legend, on axes of matplotlib."""
        self.draw(axes)
        axes.set_title(self.title, fontsize=11, loc="left")
        axes.grid(color="#dfe4ea", linewidth=0.8)
        axes.set_axisbelow(True)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    def save(self, folder: Path) -> Path:
        """Write NAME.png; gives back its path."""
        file = folder / f"{self.name}.png"
        self.figure().savefig(file, dpi=DPI, metadata={"Software": None})
        return file

    def svg(self) -> str:
        """The figure as SVG text."""
        file = io.StringIO()
        self.figure().savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()[file.getvalue().index("<svg") :]

    def _repr_html_(self) -> str:
        return self.svg()


def figures(store: Store) -> list[Figure]:
    """Every figure of a store: scores over SNR and over bandwidth, error rates."""
    data = read(store)
    return [*_of_panels(data), *_of_links(data)]


def save(store: Store, folder: Path) -> list[Path]:
    """All figures as PNG files in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    return [f.save(folder) for f in figures(store)]


def save_row(store: Store, scores: Sequence[str], file: Path) -> Path:
    """The first figure over SNR of each of ``scores``, side by side under one legend, as one PNG file.

    Raises SweepError where the store has no such figure.
    """
    from matplotlib.figure import Figure as Canvas

    known = {f.score: f for f in reversed(list(_of_panels(read(store)))) if f.over == "snr_db"}
    for name in scores:
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise SweepError(f"scores must be of those that {store.path} has over SNR ({there}), not {name!r}")
    canvas = Canvas(figsize=(SIZE[0] * len(scores), SIZE[1] + LEGEND), layout="constrained")
    row = canvas.subplots(1, len(scores), squeeze=False)[0]
    for name, axes in zip(scores, row, strict=True):
        known[name].onto(axes)
    handles, labels = row[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9, frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(file, dpi=DPI, metadata={"Software": None})
    return file


# ---- scores ----------------------------------------------------------------------------------------------------------


def _of_panels(data: Data) -> Iterator[Figure]:
    for panel in data.panels:
        spots = [s for group in panel.schemes.values() for s in group]
        snrs, cbrs = sorted({s.snr_db for s in spots}), sorted({s.cbr for s in spots})
        for metric in panel.metrics:
            if len(snrs) > 1:
                for cbr in cbrs:
                    yield _over(panel, metric, "snr_db", "cbr", cbr, f"CBR {short(cbr)}")
            for snr_db in snrs if len(cbrs) > 1 else []:
                for axis in ("cbr", "cbr_total"):
                    yield _over(panel, metric, axis, "snr_db", snr_db, f"SNR {snr_db:g} dB")


def _over(panel: Panel, metric: str, axis: str, fixed: str, value: float, told: str) -> Figure:
    def draw(axes: Any) -> None:
        for i, (scheme, spots) in enumerate(panel.schemes.items()):
            seen = [s for s in spots if getattr(s, fixed) == value and metric in s.scores]
            x = [getattr(s, axis) for s in seen]
            means = [s.scores[metric] for s in seen]
            colour = style.LIGHT[i % 8]
            axes.plot(x, [m.value for m in means], label=scheme, **_look(i))
            if len(x) > 1 and min(m.n for m in means) >= 5:
                axes.fill_between(x, [m.low for m in means], [m.high for m in means], color=colour, alpha=0.13, lw=0)
        middle = [s.scores[metric].value for g in panel.schemes.values() for s in g if metric in s.scores]
        room = max(0.3 * (max(middle) - min(middle)), 0.01 * abs(max(middle)), 1e-6)
        low, high = axes.get_ylim()
        axes.set_ylim(max(low, min(middle) - room), min(high, max(middle) + room))
        axes.set_xlabel({"snr_db": "SNR, dB", "cbr": "CBR, payload", "cbr_total": "CBR, everything counted"}[axis])
        arrow = "lower is better" if metric.removesuffix("_key") in LOWER_IS_BETTER else "higher is better"
        axes.set_ylabel(f"{NAMES.get(metric, metric)} ({arrow})")
        if axis != "snr_db":
            axes.set_xscale("log")

    place = f"{fixed.removesuffix('_db')}_{short(value)}".replace("-", "minus ")
    name = "-".join(_slug(t) for t in (panel.sweep, panel.channel, metric, "over", axis.removesuffix("_db"), place))
    return Figure(name, f"{panel.channel}, {told}", draw, metric, axis)


# ---- links -----------------------------------------------------------------------------------------------------------


def _of_links(data: Data) -> Iterator[Figure]:
    for sweep in dict.fromkeys(c.sweep for c in data.curves):
        curves = [c for c in data.curves if c.sweep == sweep]
        yield Figure(f"{_slug(sweep)}-ber", f"{sweep}: bit error rate", _rates(curves, "ber"))
        if any(r.result["code"] != "uncoded" for c in curves for r in c.rates):
            yield Figure(f"{_slug(sweep)}-bler", f"{sweep}: block error rate", _rates(curves, "bler"))
        yield Figure(f"{_slug(sweep)}-throughput", f"{sweep}: throughput", _throughput(curves))


def _rates(curves: list[Curve], name: str) -> Callable[[Any], None]:
    def draw(axes: Any) -> None:
        for i, curve in enumerate(curves):
            seen = [r for r in curve.rates if r.result[name] > 0]
            x, look = [r.snr_db for r in seen], _look(i)
            axes.plot(x, [r.result[name] for r in seen], label=curve.name, **look)
            low, high = ([r.result[f"{name}_{end}"] for r in seen] for end in ("low", "high"))
            axes.fill_between(x, low, high, color=look["color"], alpha=0.15, lw=0)
            theory = [(r.snr_db, r.result["ber_theory"]) for r in curve.rates if "ber_theory" in r.result]
            if name == "ber" and theory:
                axes.plot(*zip(*theory, strict=True), color=look["color"], lw=0.9, ls=":")
            if name == "bler" and (told := references(curve)):
                axes.plot(*zip(*told, strict=True), "x", color=look["color"], ms=7)
        axes.set_yscale("log")
        if rates := [r.result[name] for c in curves for r in c.rates if r.result[name] > 0]:
            axes.set_ylim(min(rates) / 10, 1.5)
        axes.set_xlabel("SNR (Es/N0), dB")
        axes.set_ylabel({"ber": "bit error rate", "bler": "block error rate"}[name])

    return draw


def _throughput(curves: list[Curve]) -> Callable[[Any], None]:
    def draw(axes: Any) -> None:
        for i, curve in enumerate(curves):
            seen = [(r.snr_db, r.result["throughput"]) for r in curve.rates if "throughput" in r.result]
            if seen:
                axes.plot(*zip(*seen, strict=True), label=curve.name, **_look(i))
        axes.set_xlabel("SNR (Es/N0), dB")
        axes.set_ylabel("bit a symbol in blocks without an error")

    return draw


def _look(i: int) -> dict[str, Any]:
    turn = i + i // 8  # the ninth curve has the first one's colour and another dash and marker
    mark = MARKS[style.MARKERS[turn % 8]]
    return {"color": style.LIGHT[i % 8], "ls": DASHES[turn % 4], "marker": mark, "ms": 4.5, "lw": 1.8}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
