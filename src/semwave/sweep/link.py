"""Points that are error rates: a flowgraph with an ErrorCounter, run until enough errors have been counted."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from semwave.sweep.errors import SweepError
from semwave.sweep.plan import Point, combinations, grids, point
from semwave.sweep.stopping import ErrorRule, as_params, rule
from semwave.sweep.tasks import Found
from semwave.sweep.values import digest, seed_of

VERSION = "1"
FIRST_BITS, GROWTH = 200_000, 4  # a round's bits, and how much longer the next one is
TIMEOUT_S = 3600.0
PLAIN = {"RandomBits", "QamMapper", "AwgnChannel", "FadingChannel", "QamDemapper", "HardDecision", "ErrorCounter",
         "EvmMeter", "GmiMeter"}  # fmt: skip
CODED = {"ChannelEncoder", "ChannelDecoder", "Scrambler", "Interleaver"}


def points(name: str, table: Mapping[str, Any], files: tuple[str, ...]) -> list[Point]:
    """The points of a sweep over a flowgraph: every value is a ``--set`` of it, but for ``seed``."""
    from semwave.runtime.graphfile import find, read

    file = find(str(table.get("flowgraph") or _missing(name)))
    graph = {k: v for k, v in read(file).items() if k not in ("sweep", "description")}
    _role(graph, "ErrorCounter", file)
    _role(graph, "RandomBits", file)
    about = {"flowgraph": file.stem, "sha256": digest(graph), "stop": as_params(table.get("stop", {}), ErrorRule)}
    where = {"flowgraph": str(file.resolve())}
    found, seen = [], set[tuple[str, str]]()
    for grid in grids(table, name):
        for values in combinations(grid):
            seed = values.pop("seed", 0)
            if not seen.issuperset(named := {(k, repr(v)) for k, v in values.items()}):
                _try(name, file, values)
                seen |= named
            found.append(point(name, "link", {**about, "set": values, "seed": seed}, VERSION, where))
    return found


def _try(name: str, file: Path, values: Mapping[str, Any]) -> None:
    """Build the flowgraph with these values, so that a wrong one is told before any point is computed."""
    from semwave.runtime.errors import FlowgraphError
    from semwave.runtime.graphfile import load

    try:
        load(file, [f"{k}={_toml(v)}" for k, v in values.items()])
    except FlowgraphError as error:
        told = ", ".join(f"{k} = {v!r}" for k, v in values.items())
        reason = str(error).removeprefix(f"{file}: ")
        raise SweepError(f"{name}: {told}: {reason}") from error


def _missing(name: str) -> str:
    raise SweepError(f'{name}: task "link" needs flowgraph = "FILE.toml"')


def _role(graph: Mapping[str, Any], block: str, file: Path) -> str:
    """The name of the one block of a class."""
    names = [n for n, entry in graph.get("blocks", {}).items() if entry.get("use") == block]
    if len(names) != 1:
        raise SweepError(f"{file}: a sweep counts errors by one {block}, not {len(names)}")
    return names[0]


def compute(params: Mapping[str, Any], where: Mapping[str, str]) -> Found:
    """Rounds of the flowgraph, each four times as long as the one before, until the rule says why to end.

    A round ends at the block that completes the count of errors. The rounds' seeds depend on the parameters alone.
    """
    from semwave.runtime.graphfile import load, read

    file = Path(where["flowgraph"])
    table = read(file)
    counter, source = _role(table, "ErrorCounter", file), _role(table, "RandomBits", file)
    stop: ErrorRule = rule(ErrorRule, params["stop"])
    settings = [f"{k}={_toml(v)}" for k, v in params["set"].items()]
    total = {"ber_errors": 0, "ber_trials": 0, "bler_errors": 0, "bler_trials": 0}
    facts: dict[str, Any] = {}
    graph = load(file, settings)
    block = int(graph.blocks[counter].parameters()["block"])
    reason, size, rounds = None, FIRST_BITS, 0
    while reason is None:
        left = stop.max_bits - total["ber_trials"]
        bits = max(min(size, left) // block, 1) * block
        changes = [*settings, f"{source}.count={bits}", f"{counter}.errors={_wanted(stop, total)}"]
        graph = load(file, changes, seed_of(dict(params), rounds))
        found = graph.run(timeout_s=TIMEOUT_S)
        told = found[counter].facts
        if not told.get("ber_trials"):
            raise SweepError(f"{file.name}: no block of {block} bits was compared in {bits} bits")
        total = {n: total[n] + told[n] for n in total}
        facts = {f"{b.name}.{n}": v for b in found.blocks if b.name != counter for n, v in b.facts.items()}
        reason = stop.reason(total["bler_errors"], total["bler_trials"], total["ber_trials"])
        if left - bits < block:
            reason = reason or "limit"
        size, rounds = size * GROWTH, rounds + 1
    result = {**_rates(total), **_numbers(facts), **_about(graph, params, total), "rounds": rounds, "block": block}
    return Found(result, reason)


def _wanted(stop: ErrorRule, total: Mapping[str, int]) -> int:
    """Errors that end a round; without a target, so many that a round is not cut short."""
    return (1 << 40) if stop.errors is None else stop.errors - total["bler_errors"]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _rates(total: Mapping[str, int]) -> dict[str, Any]:
    from semwave.modulation.metrics import clopper_pearson

    found: dict[str, Any] = dict(total)
    for name in ("ber", "bler"):
        errors, trials = total[f"{name}_errors"], total[f"{name}_trials"]
        low, high = clopper_pearson(errors, trials)
        found |= {name: errors / trials, f"{name}_low": low, f"{name}_high": high}
    return found


def _numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    """EVM and mutual information where the flowgraph measures them."""
    named = {n.partition(".")[2]: v for n, v in facts.items() if isinstance(v, (int, float))}
    return {n: float(named[n]) for n in ("evm_percent", "evm_db", "gmi", "mean_transmissions") if n in named}


def _about(graph: Any, params: Mapping[str, Any], total: Mapping[str, int]) -> dict[str, Any]:
    """Modulation, code, rate, throughput in bits a symbol, and what theory says of an uncoded link.

    Of a chain with other blocks than a plain link's, only the modulation and the channel are told.
    """
    blocks = {type(b).__name__: b for b in graph.blocks.values()}
    order = int(getattr(blocks.get("QamMapper"), "order", 2))
    channel = next((blocks[n] for n in ("FadingChannel", "MimoFadingChannel", "AwgnChannel") if n in blocks), None)
    about: dict[str, Any] = {"order": order, "snr_db": float(getattr(channel, "snr_db", 0.0))}
    about["profile"] = str(getattr(channel, "profile", "awgn"))
    if not set(blocks) <= PLAIN | CODED:
        return {**about, "code": ""}
    encoder = blocks.get("ChannelEncoder")
    rate = Fraction(1) if encoder is None else 1 / encoder.rate()
    per_symbol = float((order.bit_length() - 1) * rate)
    good = 1 - total["bler_errors"] / total["bler_trials"]
    about |= {"code": "uncoded" if encoder is None else _code(encoder), "code_rate": float(rate)}
    about |= {"bits_per_symbol": per_symbol, "throughput": good * per_symbol}
    return {**about, **_theory(about, channel, set(blocks) <= PLAIN)}


def _code(encoder: Any) -> str:
    size = {"k": encoder.k, "n": encoder.n, "rate": encoder.code_rate}
    return " ".join([encoder.code, *(f"{k}={v}" for k, v in size.items() if v is not None)])


def _theory(about: Mapping[str, Any], channel: Any, uncoded: bool) -> dict[str, float]:
    """The exact bit error rate of an uncoded link over a flat channel; the constellation's capacity in white noise."""
    from semwave.modulation import capacity, theory

    found: dict[str, float] = {}
    profile, snr_db, order = about["profile"], about["snr_db"], about["order"]
    if profile == "awgn":
        found["bicm_capacity"] = float(capacity.bicm(order, snr_db))
    if uncoded and profile in ("awgn", "rayleigh", "rician"):
        factor = float(channel.k_factor_db) if profile == "rician" else None
        found["ber_theory"] = float(theory.ber(order, snr_db, profile, factor))
    return found
