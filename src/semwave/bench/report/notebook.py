"""A store in a notebook: ``open_store(PATH)`` shows what is in it, ``figures(store)`` its figures."""

import html

from semwave.bench.report.data import read
from semwave.bench.report.figures import Figure, figures
from semwave.commands._terminal import counted
from semwave.sweep.store import Store

__all__ = ["Figure", "figures", "open_store", "summary_html"]


def open_store(path: str) -> Store:
    """A store to read; raises SweepError where there is none."""
    return Store(path)


def summary_html(store: Store) -> str:
    """Sweeps, points, failures and runs as a small table."""
    data = read(store)
    rows = []
    for sweep, made in sorted(data.made.items()):
        panels = [p for p in data.panels if p.sweep == sweep]
        schemes = sorted({s for p in panels for s in p.schemes})
        curves = [c.name for c in data.curves if c.sweep == sweep]
        what = ", ".join(schemes or curves)
        where = ", ".join(p.channel for p in panels)
        cells = (sweep, what, where, ", ".join(map(str, made["seeds"])), ", ".join(map(str, made["runs"])))
        rows.append("".join(f"<td>{html.escape(c)}</td>" for c in cells))
    failed = sum(n for *_, n in data.failures)
    counts = f"{counted(data.points, 'point')}, {failed} failed, {counted(len(data.runs), 'run')}"
    caption = f"{html.escape(str(store.path))}: {counts}"
    head = "".join(f"<th>{h}</th>" for h in ("sweep", "schemes or links", "channels", "seeds", "runs"))
    body = "".join(f"<tr>{r}</tr>" for r in rows)
    return f"<table><caption>{caption}</caption><tr>{head}</tr>{body}</table>"
