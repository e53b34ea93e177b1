"""Decoding options, LLR scaling and the way from received LLRs to the kernels."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from semwave.modulation.ldpc import reference
from semwave.modulation.ldpc.graph import QuasiCyclic

Array = npt.NDArray[Any]

DEFAULT_OFFSET = 0.5  # LLR; best or next to it for all codes measured, 0.4 to 0.6


@dataclass(frozen=True)
class Scaling:
    """Fixed-point number format of a decoder: one LLR unit is ``per_llr`` steps.

    Channel values are held within ``channel`` steps, check messages within ``message``, sums within
    ``total``: the gaps keep a sum of many messages from sticking at its limit.
    """

    per_llr: float
    channel: int
    message: int
    total: int
    factor_bits: int


FIXED = {
    "int16": Scaling(per_llr=64.0, channel=8191, message=32767, total=32767, factor_bits=16),
    "int8": Scaling(per_llr=4.0, channel=31, message=63, total=127, factor_bits=8),
}
FINER = ((0.4, 6.5), (0.67, 5.0))
"""Code rates below which int8 counts so many steps to an LLR: the lower the rate, the smaller the LLRs it works at.
More channel steps than 31 would gain up to 0.03 dB, but then words whose LLRs all sit at the limit are lost."""
FLOAT_LIMIT = 1e4  # LLR; infinities and anything above are held here


@dataclass(frozen=True)
class DecodeResult:
    """What a decoder returns; arrays lose the frame axis when one frame came without it.

    bits: information bits uint8 [frames, k]. ok: every parity check is satisfied and no information bit is undecided,
    bool [frames]. iterations: spent, int32 [frames]. posteriors: what the decoder counts, ``per_llr`` steps to an LLR,
    positive for a zero [frames, k].
    """

    bits: Array
    ok: Array
    iterations: Array
    posteriors: Array
    per_llr: float

    @cached_property
    def llr(self) -> Array:
        """Posterior LLRs of the information bits, ln P(b=1)/P(b=0), float32 [frames, k]; made when asked for."""
        return np.asarray(np.float32(0) - self.posteriors.astype(np.float32) * np.float32(1 / self.per_llr))


@dataclass(frozen=True, eq=False)
class Plan:
    """How the input of a decoder maps onto the code word.

    ``runs`` [any, 3]: first code word bit, first input place, length; overlapping runs add up. Bits ``k`` to
    ``filler_end`` are zeros that both sides know.
    """

    graph: QuasiCyclic
    k: int
    n: int
    filler_end: int
    runs: Array


@dataclass(frozen=True)
class Options:
    """Checked decoding options."""

    iterations: int
    algorithm: str
    factor: float
    offset: float
    precision: str
    early_stop: bool


def check_llr(llr: npt.ArrayLike, n: int) -> Array:
    """Return LLRs as float32 [frames, n]. Raise ValueError for a wrong length."""
    values = np.ascontiguousarray(llr, dtype=np.float32)
    if values.ndim not in (1, 2) or values.shape[-1] != n:
        raise ValueError(f"llr must have shape [{n}] or [frames, {n}], not {list(values.shape)}")
    return values.reshape(-1, n)


def refuse_nan(llr: Array) -> None:
    """Raise ValueError for NaN; infinities are fine. Decoders do it share by share, on their threads."""
    if llr.size and np.isnan(llr.min()):  # the minimum of anything with a NaN is NaN
        raise ValueError("llr must not hold NaN")


def check_options(
    iterations: int,
    algorithm: str,
    factor: float | None,
    precision: str | None,
    early_stop: bool,
    default_factor: float,
) -> Options:
    """Fill in defaults and refuse what does not go together."""
    if iterations < 1:
        raise ValueError(f"iterations must be 1 or more, not {iterations}")
    if algorithm not in ("nms", "oms", "spa"):
        raise ValueError(f"algorithm must be 'nms', 'oms' or 'spa', not {algorithm!r}")
    precision = precision or ("float32" if algorithm == "spa" else "int16")
    if precision not in ("int8", "int16", "float32", "float64"):
        raise ValueError(f"precision must be 'int8', 'int16', 'float32' or 'float64', not {precision!r}")
    if algorithm == "spa" and precision in FIXED:
        raise ValueError(f"algorithm 'spa' needs precision 'float32' or 'float64', not {precision!r}")
    if algorithm == "nms":
        factor = default_factor if factor is None else factor
        if not 0 < factor <= 1:
            raise ValueError(f"factor must be above 0 and at most 1 for 'nms', not {factor}")
        return Options(iterations, algorithm, factor, 0.0, precision, early_stop)
    offset = DEFAULT_OFFSET if factor is None else factor
    if not 0 <= offset < 8:
        raise ValueError(f"factor is the offset in LLR units for 'oms': 0 or more and below 8, not {factor}")
    return Options(iterations, algorithm, 1.0, offset, precision, early_stop)


def scaling_of(plan: Plan, options: Options) -> Scaling | None:
    """Number format of the decoder for a code; None for floating point."""
    scaling = FIXED.get(options.precision)
    if scaling and options.precision == "int8":
        return replace(scaling, per_llr=next((s for rate, s in FINER if plan.k < rate * plan.n), scaling.per_llr))
    return scaling


def fixed_rule(options: Options, scaling: Scaling) -> tuple[int, int]:
    """Min-sum factor and offset as the integers of a fixed-point decoder; a factor of 1 falls one short."""
    one = 1 << scaling.factor_bits
    return min(round(options.factor * one), one - 1), round(options.offset * scaling.per_llr)


def quantise(llr: Array, scaling: Scaling) -> Array:
    """Channel values in steps: -llr * per_llr, rounded half to even and held within the channel limit.

    float32 [...] -> int64 [...]; the sign turns because decoders count ln P(b=0)/P(b=1).
    """
    steps = np.rint(np.float32(0) - llr * np.float32(scaling.per_llr))
    return np.clip(steps, -scaling.channel, scaling.channel).astype(np.int64)


def decode(plan: Plan, llr: Array, options: Options) -> DecodeResult:
    """Decode LLRs float32 [frames, n]. Raise ValueError for NaN."""
    if options.precision == "float64":
        refuse_nan(llr)
        return decode_reference(plan, llr, options)
    from semwave.modulation.ldpc import layered  # numba comes in here, not with the package

    return layered.decode(plan, llr, options)


def decode_reference(plan: Plan, llr: Array, options: Options) -> DecodeResult:
    """Decode with the plain NumPy decoders of :mod:`reference`, bit-exact to the fixed-point kernels."""
    from semwave.modulation.ldpc.rate_matching import gather

    graph = plan.graph
    word = gather(np.clip(llr, -FLOAT_LIMIT, FLOAT_LIMIT), plan.runs, graph.length)
    scaling = scaling_of(plan, options)
    start: Array
    if scaling:
        limit: float = scaling.total
        start = quantise(word, scaling)
        factor, offset = fixed_rule(options, scaling)
        rule = reference.min_sum_fixed(factor, offset, scaling.message, scaling.factor_bits)
    else:
        limit = FLOAT_LIMIT
        start = np.clip(0 - word.astype(options.precision), -limit, limit)  # 0 - 0 is +0, -0 would be a one
        rule = reference.min_sum(options.factor, options.offset)
        if options.algorithm == "spa":
            rule = reference.sum_product
    start[:, plan.k : plan.filler_end] = limit
    sums, ok, spent = reference.decode(
        graph,
        start,
        rule,
        options.iterations,
        limit=limit,
        early_stop=options.early_stop,
        decided=plan.k,
    )
    info = sums[:, : plan.k]
    unit = scaling.per_llr if scaling else 1.0
    return DecodeResult((info < 0).astype(np.uint8), ok, spent, info, unit)
