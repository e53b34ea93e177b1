"""The tanh domain of sum-product on float32 vectors, held as what is missing from one.

d = 1 - tanh(|x|/2) keeps full relative precision where messages are reliable, and products become
1 - (1-d)(1-c) = d + c (1-d): no exponential or logarithm in between.
"""

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

_LARGEST = 87.0  # e**-87 is about the last normal float32
_HAIR = 2.4e-7  # more than rounding leaves of an erasure
_LOG2E, _LN2 = 1.4426950408889634, 0.6931471805599453

_F, _I = ir.VectorType(ir.FloatType(), 16), ir.VectorType(ir.IntType(32), 16)
_EXP2 = (1.0, 0.6931471805599453, 0.2402265069591007, 0.05550410866482158, 0.009618129107628477,
         0.0013333558146428443, 0.00015403530393381608)  # fmt: skip
_ATANH = (2.0, 2 / 3, 2 / 5, 2 / 7, 2 / 9)  # ln((1+w)/(1-w)) = 2 w (1 + w^2/3 + w^4/5 + ...)


def _c(value: float) -> Any:
    return ir.Constant(_F, [value] * 16)


def _i(value: int) -> Any:
    return ir.Constant(_I, [value] * 16)


def _polynomial(b: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    total = _c(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = b.fadd(b.fmul(total, x), _c(c))
    return total


def _exp_minus(b: Any, x: Any) -> Any:
    """e**-x for x in 0..87: 2**n times a polynomial on [-1/2, 1/2]."""
    y = b.fmul(x, _c(-_LOG2E))
    n = b.fptosi(b.fsub(y, _c(0.5)), _I)  # rounds to nearest, for y is never positive
    part = b.fsub(y, b.sitofp(n, _F))
    power = b.bitcast(b.shl(b.add(n, _i(127)), _i(23)), _F)
    return b.fmul(_polynomial(b, part, _EXP2), power)


def _log(b: Any, x: Any) -> Any:
    """ln x for x of 1 or more: exponent, and a series in w = (m-1)/(m+1) for m in [1/sqrt 2, sqrt 2)."""
    shifted = b.add(b.bitcast(x, _I), _i(0x3F800000 - 0x3F3504F3))
    exponent = b.sub(b.lshr(shifted, _i(23)), _i(127))
    m = b.bitcast(b.add(b.and_(shifted, _i(0x007FFFFF)), _i(0x3F3504F3)), _F)
    w = b.fdiv(b.fsub(m, _c(1.0)), b.fadd(m, _c(1.0)))
    return b.fadd(b.fmul(w, _polynomial(b, b.fmul(w, w), _ATANH)), b.fmul(b.sitofp(exponent, _F), _c(_LN2)))


@intrinsic
def missing(tyctx: Any, x: Any) -> Any:
    """1 - tanh(x/2) = 2 / (e**x + 1) of magnitudes, those above 87 counting as 87."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        x = b.select(b.fcmp_ordered("<", args[0], _c(_LARGEST)), args[0], _c(_LARGEST))
        e = _exp_minus(b, x)
        return b.fdiv(b.fadd(e, e), b.fadd(e, _c(1.0)))

    return x(x), gen


@intrinsic
def joined(tyctx: Any, d: Any, c: Any) -> Any:
    """1 - (1-d)(1-c)."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        return b.fadd(args[0], b.fmul(args[1], b.fsub(_c(1.0), args[0])))

    return d(d, d), gen


@intrinsic
def from_missing(tyctx: Any, d: Any) -> Any:
    """2 atanh(1-d) = ln((2-d)/d), exactly zero for an erasure."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        x = b.fsub(_log(b, b.fdiv(b.fsub(_c(2.0), args[0]), args[0])), _c(_HAIR))
        return b.select(b.fcmp_ordered(">", x, _c(0.0)), x, _c(0.0))

    return d(d), gen
