"""Error rates of links as sweeps give them, in dB beside theory and other programs' results.

``python benchmarks/curves.py [--quick] [--part anchors theory] [--store FILE] [--workers N]``

Every point goes through ``semwave sweep`` (flowgraph, stopping rule, store); a run that was interrupted goes on.
``anchors``: coded links at the SNR of a published error rate and a little to both sides; ``value`` is how far our curve
lies to the right of the reference, in dB, with a 95 % interval from the counted errors. ``theory``: each constellation,
uncoded, over white noise, Rayleigh and Rician fading; ``value`` is the distance of the worst point from the closed form
in standard errors, with how many points lie outside their 95 % intervals (one in twenty should).
"""

import argparse
import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from _report import emit
from scipy import stats

from semwave.modulation import theory
from semwave.sweep.cluster import Here, OnDask
from semwave.sweep.files import plan
from semwave.sweep.runner import Sweep, now
from semwave.sweep.store import Row, Store

AROUND_DB = {"bler": 0.1, "ber": 0.25}
EVENT_BITS = 8.0  # bit errors of a Viterbi decoder come in events of so many
SEEDS = 8
SIMULATED = "independent simulation"


@dataclass(frozen=True)
class Anchor:
    """A published point: error rate ``rate`` at ``ebn0_db``, BPSK in white noise."""

    name: str
    flowgraph: str
    ebn0_db: float
    code_rate: float
    rate: float
    settings: tuple[str, ...]
    kind: str = "bler"
    peer: str = SIMULATED


WIFI = ("n=1944", "k=972", "code_rate=1/2", "decoder.iterations=20")
SHORT = ("n=648", "k=540", "code_rate=5/6", "decoder.iterations=20", "decoder.algorithm=spa")
NR = ("k=1024", "n=2048", "decoder.iterations=20")
SPA, POLAR = "decoder.algorithm=spa", ("k=64", "n=128")
ANCHORS = [
    Anchor("802.11n (1944, 972), spa", "ber_ldpc_wifi", 1.25, 0.5, 4.4e-2, (*WIFI, SPA)),
    Anchor("802.11n (1944, 972), spa", "ber_ldpc_wifi", 1.5, 0.5, 8.0e-3, (*WIFI, SPA)),
    Anchor("802.11n (1944, 972), nms 0.8", "ber_ldpc_wifi", 1.5, 0.5, 1.7e-2, WIFI),
    Anchor("802.11n (648, 540), spa", "ber_ldpc_wifi", 4.0, 5 / 6, 5.49e-3, SHORT, peer="aff3ct"),
    Anchor("NR BG2 (2048, 1024), spa", "ber_ldpc_nr", 1.25, 0.5, 1.8e-2, (*NR, SPA)),
    Anchor("NR BG2 (2048, 1024), nms 0.7", "ber_ldpc_nr", 1.25, 0.5, 0.107, NR),
    Anchor("NR polar (128, 64), list 8", "ber_polar_nr", 2.5, 0.5, 3.3e-2, POLAR),
    Anchor("NR polar (128, 64), list 8", "ber_polar_nr", 3.0, 0.5, 8.1e-3, POLAR),
    Anchor("Viterbi K=7, soft, BER", "ber_conv_k7", 3.0, 0.5, 3.5e-4, ("code_rate=1/2",), "ber"),
    Anchor("Viterbi K=7, soft, BER", "ber_conv_k7", 4.0, 0.5, 1.9e-5, ("code_rate=1/2",), "ber"),
]


def rows(flowgraph: str, settings: list[str], options: argparse.Namespace) -> list[Row]:
    """The points of a flowgraph's sweep with other values, computed where the store has none."""
    points = plan([flowgraph], settings)
    with Store(options.store, write=True) as store:
        missing = len({p.key for p in points} - store.done())
        workers = min(options.workers, missing)
        executor = OnDask(workers) if workers > 1 else Here()
        try:
            number = store.begin_run("benchmarks/curves.py", now(), {}, {}, [flowgraph])
            failed = Sweep(points, store, executor).run(number).errors
        finally:
            executor.close()
        if failed:
            raise SystemExit(f"{flowgraph}: {failed[0]}")
        wanted = {p.key for p in points}
        return [r for r in store.rows(flowgraph) if r.key in wanted]


# ---- codes -----------------------------------------------------------------------------------------------------------


def anchor(a: Anchor, options: argparse.Namespace) -> None:
    """One line: our curve through three SNRs against the published point."""
    around = AROUND_DB[a.kind]
    middle = a.ebn0_db + 10 * math.log10(a.code_rate)
    snrs = [round(middle + d, 4) for d in (-around, 0.0, around)]
    errors, most = (100, 20_000_000) if options.quick else (300, 200_000_000)
    errors *= 4 if a.kind == "ber" else 1  # for they come in events
    settings = [*a.settings, "order=2", f"snr_db={snrs}", f"stop.errors={errors}", f"stop.max_bits={most}"]
    found = sorted(rows(a.flowgraph, settings, options), key=lambda r: float(r.result["snr_db"]))
    left, here, right = (r.result for r in found)
    slope = math.log10(left[a.kind] / right[a.kind]) / (2 * around)
    wrong, sent = here[f"{a.kind}_errors"], here[f"{a.kind}_trials"]
    events = wrong / EVENT_BITS if a.kind == "ber" else wrong
    half = 1.96 / math.sqrt(events) / math.log(10) / slope
    offset = math.log10(here[a.kind] / a.rate) / slope
    case = f"{a.name}, Eb/N0 {a.ebn0_db} dB: {here[a.kind]:.3g} for {a.rate:.3g}, {wrong} of {sent}, "
    emit("curves", f"{case}{slope:.1f} decades a dB, +-{half:.3f} dB", offset, "dB", a.peer, 0.0)


# ---- theory ----------------------------------------------------------------------------------------------------------


def uncoded(flowgraph: str, settings: list[str], options: argparse.Namespace) -> None:
    """One line a constellation and channel."""
    curves: dict[tuple[str, int], dict[float, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for r in rows(flowgraph, settings, options):
        if "ber_theory" in r.result:
            curves[r.result["profile"], r.result["order"]][r.result["snr_db"]].append(r)
    for (profile, order), spots in sorted(curves.items()):
        scores = [_score(spot) for _, spot in sorted(spots.items()) if _counted(spot)]
        worst = max((abs(z) for z, _, _ in scores), default=0.0)
        outside = sum(p < 0.05 for _, p, _ in scores)
        shift = max((abs(d) for _, _, d in scores), default=0.0)
        expected = float(stats.norm.isf(0.025 / max(len(scores), 1)))
        case = f"{profile}, {order} points, {len(scores)} SNRs: {outside} outside 95 %, all of them expected below "
        emit("curves", f"{case}{expected:.2f}; at most {shift:.3f} dB off", worst, "standard errors",
             "theory", expected)  # fmt: skip


def _counted(spot: list[Row]) -> bool:
    """Whether there are errors enough for the normal approximation of the score."""
    return sum(r.result["ber_errors"] for r in spot) >= 20


def _score(spot: list[Row]) -> tuple[float, float, float]:
    """Distance from theory in standard errors, its p-value, and the distance in dB.

    One row: errors are independent but for those of one symbol (white noise, Gray: hardly any). Several rows: the
    seeds' rates are independent, errors within one are not (fading), so Student's test of their mean.
    """
    result = spot[0].result
    truth = result["ber_theory"]
    if len(spot) == 1:
        errors, trials = result["ber_errors"], result["ber_trials"]
        rate = errors / trials
        z = (rate - truth) / math.sqrt(truth * (1 - truth) / trials)
        p = float(stats.binomtest(errors, trials, truth).pvalue) if errors < 1000 else float(2 * stats.norm.sf(abs(z)))
    else:
        rates = [r.result["ber"] for r in spot]
        rate = sum(rates) / len(rates)
        t = stats.ttest_1samp(rates, truth)
        p = float(t.pvalue)
        z = math.copysign(float(stats.norm.isf(p / 2)), rate - truth)
    factor = 10.0 if result["profile"] == "rician" else None
    near = [float(theory.ber(result["order"], result["snr_db"] + d, result["profile"], factor)) for d in (-0.05, 0.05)]
    return z, p, math.log(rate / truth) / (math.log(near[1] / near[0]) / 0.1)


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of the errors")
    parser.add_argument("--part", nargs="+", choices=("anchors", "theory"), default=["anchors", "theory"])
    parser.add_argument("--store", type=Path, default=Path("out/curves.sqlite"))
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if "anchors" in options.part:
        for a in ANCHORS:
            anchor(a, options)
    if "theory" in options.part:
        errors, bits = (100, 100_000) if options.quick else (500, 500_000)
        uncoded("ber_qam_awgn", [f"stop.errors={errors}", f"stop.max_bits={10 * bits}"], options)
        many = [f"seed={json.dumps(list(range(SEEDS)))}", "stop.errors=1_000_000_000", f"stop.max_bits={bits}"]
        uncoded("ber_qam_fading", many, options)


if __name__ == "__main__":
    main()
