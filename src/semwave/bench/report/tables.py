"""The numbers behind the figures as rows: for the page's tables and for CSV."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from semwave.bench.report.data import Data

Table = tuple[list[str], list[list[Any]]]
"""Column heads, and rows of numbers and strings."""


def scores(data: Data) -> Table:
    """One row a channel, scheme, SNR and bandwidth: every score with its interval."""
    names = list(dict.fromkeys(n for p in data.panels for n in p.metrics))
    heads = ["sweep", "channel", "scheme", "snr_db", "cbr", "cbr_payload", "cbr_total", "pictures"]
    heads += [f"{n}{end}" for n in names for end in ("", "_low", "_high")]
    rows = []
    for panel in data.panels:
        for scheme, spots in panel.schemes.items():
            for s in spots:
                row: list[Any] = [
                    panel.sweep,
                    panel.channel,
                    scheme,
                    s.snr_db,
                    s.cbr,
                    s.cbr_payload,
                    s.cbr_total,
                    s.pictures,
                ]
                for n in names:
                    m = s.scores.get(n)
                    row += [None, None, None] if m is None else [m.value, m.low, m.high]
                rows.append(row)
    return heads, rows


def rates(data: Data) -> Table:
    """One row an error-rate point."""
    columns = (
        "snr_db", "ber", "ber_low", "ber_high", "ber_theory", "bler", "bler_low", "bler_high", "bler_errors",
        "bler_trials", "throughput", "bicm_capacity", "evm_percent",
    )  # fmt: skip
    rows = []
    for curve in data.curves:
        for rate in curve.rates:
            values = [rate.result.get(c) for c in columns]
            rows.append([curve.sweep, curve.name, *values, rate.reason])
    return ["sweep", "link", *columns, "ended_on"], rows


def comparisons(data: Data) -> Table:
    """One row a score of a scheme against the reference on the same pictures and the same air."""
    heads = ["sweep", "channel", "snr_db", "cbr", "scheme", "reference", "score", "difference", "low", "high",
             "better_on", "pictures"]  # fmt: skip
    return heads, [[row[h] for h in heads] for row in data.comparisons]


def as_csv(table: Table) -> str:
    """RFC 4180; empty where a number is not known."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(table[0])
    writer.writerows([["" if v is None else v for v in row] for row in table[1]])
    return out.getvalue()


def by_name(data: Data) -> dict[str, Table]:
    """The tables that have rows."""
    found: Sequence[tuple[str, Table]] = (
        ("scores", scores(data)), ("comparisons", comparisons(data)), ("rates", rates(data)),
    )  # fmt: skip
    return {name: table for name, table in found if table[1]}
