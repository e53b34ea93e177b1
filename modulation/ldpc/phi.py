"""phi(x) = -ln tanh(x/2), its own inverse, on float32 vectors."""

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from semwave.modulation.ldpc.vector import VectorType

_SMALLEST = 1e-9  # arguments below count as this, and results this small as an erasure
_LARGEST = 87.0  # e**-87 is the last normal float32
_LOG2E, _LN2 = 1.4426950408889634, 0.6931471805599453

_F, _I = ir.VectorType(ir.FloatType(), 16), ir.VectorType(ir.IntType(32), 16)
_EXP2 = (1.0, 0.6931471805599453, 0.2402265069591007, 0.05550410866482158, 0.009618129107628477,
         0.0013333558146428443, 0.00015403530393381608)  # fmt: skip
# ln((1+w)/(1-w)) = 2 w (1 + w^2/3 + w^4/5 + ...), both for the logarithm and for small e
_ATANH = (2.0, 2 / 3, 2 / 5, 2 / 7, 2 / 9)


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
    """ln x for x of 1 or more: exponent and a series in (m-1)/(m+1), m in [1/sqrt 2, sqrt 2)."""
    bits = b.bitcast(x, _I)
    shifted = b.add(bits, _i(0x3F800000 - 0x3F3504F3))
    exponent = b.sub(b.lshr(shifted, _i(23)), _i(127))
    m = b.bitcast(b.add(b.and_(shifted, _i(0x007FFFFF)), _i(0x3F3504F3)), _F)
    w = b.fdiv(b.fsub(m, _c(1.0)), b.fadd(m, _c(1.0)))
    return b.fadd(b.fmul(w, _polynomial(b, b.fmul(w, w), _ATANH)), b.fmul(b.sitofp(exponent, _F), _c(_LN2)))


def _one_minus(b: Any, x: Any, e: Any) -> Any:
    """1 - e**-x without cancellation: a series for small x."""
    series = b.fmul(x, _polynomial(b, x, (1.0, -1 / 2, 1 / 6, -1 / 24, 1 / 120, -1 / 720)))
    return b.select(b.fcmp_ordered("<", x, _c(0.3)), series, b.fsub(_c(1.0), e))


@intrinsic  # type: ignore[untyped-decorator]
def involution(tyctx: Any, x: VectorType) -> Any:
    """phi of every lane, magnitudes held within 1e-9 and 87."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        x = b.select(b.fcmp_ordered(">", args[0], _c(_SMALLEST)), args[0], _c(_SMALLEST))
        x = b.select(b.fcmp_ordered("<", x, _c(_LARGEST)), x, _c(_LARGEST))
        e = _exp_minus(b, x)
        near = _log(b, b.fdiv(b.fadd(_c(1.0), e), _one_minus(b, x, e)))
        far = b.fmul(e, _polynomial(b, b.fmul(e, e), _ATANH[:4]))
        return b.select(b.fcmp_ordered("<", e, _c(0.1)), far, near)

    return x(x), gen


@intrinsic  # type: ignore[untyped-decorator]
def lowered(tyctx: Any, x: VectorType) -> Any:
    """x less a hair, at least 0: what an erasure left behind becomes exactly zero."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        less = b.fsub(args[0], _c(4 * _SMALLEST))
        return b.select(b.fcmp_ordered(">", less, _c(0.0)), less, _c(0.0))

    return x(x), gen
