"""What a store holds, averaged and ordered for figures and tables.

A curve's value is the mean over pictures of each picture's mean over seeds; its band is Student's 95 % interval of
that mean over pictures (over seeds where there is one picture). Points that failed are counted, not averaged.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semwave.sweep.stopping import mean_interval
from semwave.sweep.store import Row, Store
from semwave.sweep.values import canonical, short

LOWER_IS_BETTER = ("lpips", "dists", "hallucination")
NAMES = {
    "psnr": "PSNR, dB", "ssim": "SSIM", "ms_ssim": "MS-SSIM", "vsi": "VSI", "lpips": "LPIPS", "dists": "DISTS",
    "hallucination": "Hallucination score", "psnr_key": "PSNR of the key region, dB",
    "ssim_key": "SSIM of the key region",
    "lpips_key": "LPIPS of the key region", "vsi_key": "VSI of the key region", "ok_share": "Share that arrived whole",
}  # fmt: skip
NOT_SCORES = {
    "realizations", "status", "budget", "cbr_payload", "cbr_total", "height", "width", "extras",
}  # fmt: skip
NOT_PLACE = ("sha256", "stop", "metrics", "keep")


@dataclass(frozen=True)
class Mean:
    """A mean and its 95 % interval (equal to the mean where there is one value alone)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Spot:
    """One scheme at one channel, SNR and bandwidth: the means of its scores."""

    snr_db: float
    cbr: float
    cbr_payload: float
    cbr_total: float
    pictures: int
    scores: Mapping[str, Mean]


@dataclass(frozen=True)
class Picture:
    """One picture point that was kept for the gallery."""

    key: str
    name: str
    scheme: str
    channel: str
    snr_db: float
    cbr: float
    scores: Mapping[str, float]
    about: str


@dataclass
class Panel:
    """One sweep over one channel: every scheme's spots."""

    sweep: str
    channel: str
    schemes: dict[str, list[Spot]] = field(default_factory=dict)
    metrics: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rate:
    """One error-rate point."""

    snr_db: float
    result: Mapping[str, Any]
    reason: str


@dataclass
class Curve:
    """Error rates of one modulation, code and channel."""

    sweep: str
    name: str
    rates: list[Rate] = field(default_factory=list)


@dataclass
class Data:
    """All that a report shows."""

    panels: list[Panel]
    curves: list[Curve]
    gallery: list[Picture]
    comparisons: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    points: int
    failures: list[tuple[str, str, int]]
    """Sweep, message, how many points."""
    reasons: Mapping[str, int]
    made: Mapping[str, Mapping[str, list[Any]]]
    """By sweep: numbers of the runs that computed it, seeds, versions of tasks and schemes."""


def read(store: Store) -> Data:
    """Everything of a store."""
    good: dict[str, list[Row]] = defaultdict(list)
    failures: dict[tuple[str, str], int] = defaultdict(int)
    reasons: dict[str, int] = defaultdict(int)
    made: dict[str, dict[str, set[Any]]] = {}
    count = 0
    for row in store.rows():
        count += 1
        facts = made.setdefault(row.sweep, {"runs": set(), "seeds": set(), "versions": set()})
        facts["runs"].add(row.run)
        facts["seeds"].add(row.params.get("seed", 0))
        facts["versions"].add(f"{row.params.get('scheme', row.params.get('flowgraph', row.task))} {row.version}")
        if row.status != "ok":
            failures[(row.sweep, row.error or "")] += 1
            continue
        reasons[row.reason or ""] += 1
        good[row.task].append(row)
    good = defaultdict(list, {task: _newest(rows) for task, rows in good.items()})
    pictures = good["picture"]
    kept = [_kept(r) for r in pictures if r.params.get("keep")]
    return Data(
        _panels(pictures), _curves(good["link"]), sorted(kept, key=lambda p: (p.name, p.channel, p.snr_db, p.scheme)),
        _comparisons(pictures), store.runs(), count, [(*k, n) for k, n in sorted(failures.items())], dict(reasons),
        {sweep: {k: sorted(v) for k, v in facts.items()} for sweep, facts in made.items()},
    )  # fmt: skip


def _newest(rows: list[Row]) -> list[Row]:
    """Of points that differ in version, rule or scores asked for alone, the last run's."""
    found: dict[str, Row] = {}
    for r in sorted(rows, key=lambda row: (row.run, row.key)):
        found[canonical([r.sweep, {k: v for k, v in r.params.items() if k not in NOT_PLACE}])] = r
    return sorted(found.values(), key=lambda row: row.key)


# ---- pictures --------------------------------------------------------------------------------------------------------


def label(params: Mapping[str, Any]) -> str:
    """A scheme and its options."""
    options = ", ".join(f"{k} {short(v)}" for k, v in params["options"].items())
    return f"{params['scheme']} ({options})" if options else str(params["scheme"])


def scheme_order(name: str) -> tuple[int, str]:
    """Ours first, then its ablations, joint coding, the rest."""
    rank = 0 if name == "semwave" else 1 if name.startswith("semwave") else 2 if name.startswith("jscc") else 3
    return rank, name


def mean(values: Sequence[float]) -> Mean:
    """Student's interval; the value itself where there is one alone."""
    middle = math.fsum(values) / len(values)
    low, high = mean_interval(values) if len(values) > 1 else (middle, middle)
    return Mean(middle, low, high, len(values))


def scores_of(rows: Iterable[Row]) -> list[str]:
    """Names of the scores that any row has, in the order of NAMES, then the others."""
    seen = {n for r in rows for n, v in r.result.items() if n not in NOT_SCORES and isinstance(v, (int, float))}
    seen -= {f"{n}_{end}" for n in seen for end in ("low", "high")}
    return [n for n in NAMES if n in seen] + sorted(seen - set(NAMES))


def _panels(rows: list[Row]) -> list[Panel]:
    grouped: dict[tuple[str, str], dict[str, dict[tuple[float, float], list[Row]]]] = {}
    for r in rows:
        panel = grouped.setdefault((r.sweep, r.params["channel"]["label"]), {})
        spot = panel.setdefault(label(r.params), {})
        spot.setdefault((float(r.params["snr_db"]), float(r.params["cbr"])), []).append(r)
    found = []
    for (sweep, channel), schemes in sorted(grouped.items()):
        members = [r for spots in schemes.values() for group in spots.values() for r in group]
        names = scores_of(members)
        spots = {
            s: [_spot(k, g, names) for k, g in sorted(schemes[s].items())] for s in sorted(schemes, key=scheme_order)
        }
        found.append(Panel(sweep, channel, spots, names))
    return found


def _spot(where: tuple[float, float], rows: list[Row], names: list[str]) -> Spot:
    sent = [r for r in rows if r.result["cbr_total"]] or rows
    payload, total = (math.fsum(r.result[n] for r in sent) / len(sent) for n in ("cbr_payload", "cbr_total"))
    scores = {n: m for n in names if (m := _score(rows, n)) is not None}
    pictures = len({r.params["picture"]["sha256"] for r in rows})
    return Spot(where[0], where[1], payload, total, pictures, scores)


def _score(rows: list[Row], name: str) -> Mean | None:
    by_picture: dict[str, list[float]] = defaultdict(list)
    for r in rows:
        if r.result.get(name) is not None:
            by_picture[r.params["picture"]["sha256"]].append(float(r.result[name]))
    if not by_picture:
        return None
    if len(by_picture) == 1:
        return mean(next(iter(by_picture.values())))
    return mean([math.fsum(v) / len(v) for v in by_picture.values()])


def _kept(row: Row) -> Picture:
    p, extras = row.params, row.result.get("extras", {})
    scores = {n: float(row.result[n]) for n in scores_of([row])}
    about = "; ".join(f"{k} {short(v)}" for k, v in extras.items() if k in ("codec", "bytes", "prompt") and v != "")
    status = "" if row.result["status"] == "ok" else f"{row.result['status']}; "
    return Picture(
        row.key, p["picture"]["name"], label(p), p["channel"]["label"], float(p["snr_db"]), float(p["cbr"]), scores,
        status + about,
    )  # fmt: skip


def _comparisons(rows: list[Row]) -> list[dict[str, Any]]:
    """Every scheme against the reference, picture by picture on the same air: mean difference and share of wins."""
    tables: dict[tuple[str, str, float, float], dict[str, dict[tuple[str, int], Row]]] = {}
    for r in rows:
        p = r.params
        place = (r.sweep, p["channel"]["label"], float(p["snr_db"]), float(p["cbr"]))
        tables.setdefault(place, {}).setdefault(label(p), {})[(p["picture"]["sha256"], p["seed"])] = r
    found = []
    for (sweep, channel, snr_db, cbr), schemes in sorted(tables.items()):
        reference = next((s for s in sorted(schemes) if s.startswith(("digital", "conventional"))), None)
        for scheme in sorted(schemes, key=scheme_order) if reference else []:
            if scheme != reference:
                about = {"sweep": sweep, "channel": channel, "snr_db": snr_db, "cbr": cbr, "scheme": scheme}
                found += _differences({**about, "reference": reference}, schemes[scheme], schemes[str(reference)])
    return found


def _differences(about: dict[str, Any], ours: Mapping[Any, Row], theirs: Mapping[Any, Row]) -> list[dict[str, Any]]:
    found = []
    for name in scores_of([*ours.values(), *theirs.values()]):
        pairs: dict[str, list[float]] = defaultdict(list)
        for (picture, seed), row in ours.items():
            other = theirs.get((picture, seed))
            if other is not None and None not in (row.result.get(name), other.result.get(name)):
                pairs[picture].append(row.result[name] - other.result[name])
        if pairs:
            each = [math.fsum(v) / len(v) for v in pairs.values()]
            sign = -1 if name.removesuffix("_key") in LOWER_IS_BETTER else 1
            m = mean(each)
            wins = sum(sign * d > 0 for d in each) / len(each)
            told = {"difference": m.value, "low": m.low, "high": m.high, "better_on": wins, "pictures": m.n}
            found.append({**about, "score": name, **told})
    return found


# ---- links -----------------------------------------------------------------------------------------------------------


def _curves(rows: list[Row]) -> list[Curve]:
    found: dict[tuple[str, str], Curve] = {}
    for r in rows:
        told = ("snr_db", "order", "profile")
        rest = {k: v for k, v in r.params["set"].items() if k.rpartition(".")[2] not in told}
        name = _curve_name(r.result, rest)
        curve = found.setdefault((r.sweep, name), Curve(r.sweep, name))
        curve.rates.append(Rate(float(r.result["snr_db"]), r.result, r.reason or ""))
    for curve in found.values():
        curve.rates.sort(key=lambda rate: rate.snr_db)
    return [found[k] for k in sorted(found, key=lambda k: (k[0], found[k].rates[0].result["order"], k[1]))]


def _curve_name(result: Mapping[str, Any], rest: Mapping[str, Any]) -> str:
    order = int(result["order"])
    modulation = {2: "BPSK", 4: "QPSK", 8: "8-PSK"}.get(order, f"{order}-QAM")
    profile = {"awgn": "", "rayleigh": "Rayleigh", "rician": "Rician"}.get(result["profile"], result["profile"])
    code = "" if result["code"] == "uncoded" else str(result["code"]).replace("_", " ")
    parts = {k: k.rpartition(".")[2] for k in rest if not k.startswith("count.")}
    shown = [f"{part} {short(rest[k])}" for k, part in parts.items() if part not in _IN_CODE]
    return ", ".join(part for part in (modulation, code, profile, *dict.fromkeys(shown)) if part)


_IN_CODE = ("code", "k", "n", "code_rate", "order")
