"""Vector operations of the polar decoders, as LLVM: sizes are powers of two, addresses are of float32 or int32.

The compiler's own vector loops start at 64 values and do the rest one by one, which is where a polar decoder
spends its time. Here 1, 2, 4 and 8 values are one vector each, and more are vectors of 16.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDE = 16
_I32, _I64, _F32 = ir.IntType(32), ir.IntType(64), ir.FloatType()
_SIGN = 0x7FFFFFFF


def _load(b: Any, kind: Any, width: int, address: Any, i: Any) -> Any:
    place = b.add(address, b.shl(i, ir.Constant(_I64, 2)))
    loaded = b.load(b.inttoptr(place, ir.VectorType(kind, width).as_pointer()))
    loaded.align = 4
    return loaded


def _store(b: Any, value: Any, address: Any, i: Any) -> None:
    place = b.add(address, b.shl(i, ir.Constant(_I64, 2)))
    b.store(value, b.inttoptr(place, value.type.as_pointer())).align = 4


def _splat(kind: Any, width: int, value: Any) -> Any:
    return ir.Constant(ir.VectorType(kind, width), [value] * width)


def _reduce(b: Any, value: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """Combine all lanes of a vector into one scalar, by halves."""
    width = value.type.count
    while width > 1:
        width //= 2
        halves = [
            b.shuffle_vector(value, value, ir.Constant(ir.VectorType(_I32, width), list(range(lo, lo + width))))
            for lo in (0, width)
        ]
        value = combine(*halves)
    return b.extract_element(value, ir.Constant(_I32, 0))


def _by_size(
    b: Any,
    size: Any,
    body: Callable[[int, Any, list[Any]], list[Any]],
    start: Callable[[int], list[Any]] = lambda width: [],
    finish: Callable[[list[Any]], None] = lambda sums: None,
) -> None:
    """Emit ``body(width, index, sums) -> sums`` once for 1, 2, 4 and 8 values, in a loop for more."""
    zero = ir.Constant(_I64, 0)
    end, loop = b.append_basic_block("end"), b.append_basic_block("loop")
    begin = b.block
    choice = b.switch(size, loop)
    for width in (1, 2, 4, 8):
        block = b.append_basic_block(f"width{width}")
        choice.add_case(ir.Constant(_I64, width), block)
        b.position_at_end(block)
        finish(body(width, zero, start(width)))
        b.branch(end)
    b.position_at_end(loop)
    index = b.phi(_I64)
    index.add_incoming(zero, begin)
    first = start(WIDE)
    sums = [b.phi(value.type) for value in first]
    after = body(WIDE, index, sums)
    following = b.add(index, ir.Constant(_I64, WIDE))
    index.add_incoming(following, b.block)
    for phi, value, new in zip(sums, first, after, strict=True):
        phi.add_incoming(value, begin)
        phi.add_incoming(new, b.block)
    done = b.append_basic_block("done")
    b.cbranch(b.icmp_signed("<", following, size), loop, done)
    b.position_at_end(done)
    finish(after)
    b.branch(end)
    b.position_at_end(end)


def _operation(n_args: int, emit: Callable[..., None]) -> Any:
    """Make numba callables of address and size arguments, all int64, that return nothing."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        emit(b, *args)
        return context.get_dummy_value()

    def four(typing_context: Any, p: Any, q: Any, r: Any, s: Any) -> Any:
        return types.void(*[types.intp] * 4), generate

    def three(typing_context: Any, p: Any, q: Any, r: Any) -> Any:
        return types.void(*[types.intp] * 3), generate

    return intrinsic(four if n_args == 4 else three)


def _minsum(b: Any, source: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        x, y = _load(b, _F32, width, source, i), _load(b, _F32, width, source, b.add(i, size))
        less = b.fcmp_ordered("<", x, y)
        low, high = b.select(less, x, y), b.fneg(b.select(less, y, x))
        _store(b, b.select(b.fcmp_ordered(">", low, high), low, high), out, i)
        return sums

    _by_size(b, size, body)


def _given(b: Any, source: Any, signs: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        x, y = _load(b, _F32, width, source, i), _load(b, _F32, width, source, b.add(i, size))
        _store(b, b.fadd(y, b.fmul(_load(b, _F32, width, signs, i), x)), out, i)
        return sums

    _by_size(b, size, body)


def _join(b: Any, left: Any, right: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        x, y = _load(b, _F32, width, left, i), _load(b, _F32, width, right, i)
        _store(b, b.fmul(x, y), out, i)
        _store(b, y, out, b.add(i, size))
        return sums

    _by_size(b, size, body)


def _decide(b: Any, source: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        zero = b.fcmp_ordered(">=", _load(b, _F32, width, source, i), _splat(_F32, width, 0.0))
        _store(b, b.select(zero, _splat(_F32, width, 1.0), _splat(_F32, width, -1.0)), out, i)
        return sums

    _by_size(b, size, body)


def _against(b: Any, source: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        value, zero = _load(b, _F32, width, source, i), _splat(_F32, width, 0.0)
        minus = b.fcmp_ordered("<", value, zero)
        for_one, for_zero = b.select(minus, value, zero), b.select(minus, zero, value)
        return [b.fsub(sums[0], for_one), b.fadd(sums[1], for_zero)]

    def finish(sums: list[Any]) -> None:
        for k in range(2):
            _store(b, _reduce(b, sums[k], b.fadd), out, ir.Constant(_I64, k))

    _by_size(b, size, body, lambda width: [_splat(_F32, width, 0.0)] * 2, finish)


def _lower(b: Any) -> Callable[[Any, Any], Any]:
    return lambda x, y: b.select(b.icmp_signed("<", x, y), x, y)


def _magnitudes(b: Any, source: Any, size: Any, out: Any, summary: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        value = _load(b, _I32, width, source, i)
        size_only = b.and_(value, _splat(_I32, width, _SIGN))
        _store(b, size_only, out, i)
        return [b.xor(sums[0], value), _lower(b)(sums[1], size_only)]

    def finish(sums: list[Any]) -> None:
        _store(b, _reduce(b, sums[0], b.xor), summary, ir.Constant(_I64, 0))
        _store(b, _reduce(b, sums[1], _lower(b)), summary, ir.Constant(_I64, 1))

    _by_size(b, size, body, lambda width: [_splat(_I32, width, 0), _splat(_I32, width, _SIGN)], finish)


def _smallest(b: Any, source: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        return [_lower(b)(sums[0], _load(b, _I32, width, source, i))]

    def finish(sums: list[Any]) -> None:
        _store(b, _reduce(b, sums[0], _lower(b)), out, ir.Constant(_I64, 0))

    _by_size(b, size, body, lambda width: [_splat(_I32, width, _SIGN)], finish)


def _fill(b: Any, sign: Any, size: Any, out: Any) -> None:
    def body(width: int, i: Any, sums: list[Any]) -> list[Any]:
        one = b.insert_element(_splat(_F32, width, 0.0), b.sitofp(sign, _F32), ir.Constant(_I32, 0))
        lanes = ir.Constant(ir.VectorType(_I32, width), [0] * width)
        _store(b, b.shuffle_vector(one, one, lanes), out, i)
        return sums

    _by_size(b, size, body)


@intrinsic
def read(typing_context: Any, address: Any) -> Any:
    """The float32 at an address."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        return b.extract_element(_load(b, _F32, 1, args[0], ir.Constant(_I64, 0)), ir.Constant(_I32, 0))

    return types.float32(types.intp), generate


@intrinsic
def negate(typing_context: Any, address: Any) -> Any:
    """Turn the sign of the float32 at an address."""

    def generate(context: Any, b: Any, signature: Any, args: Any) -> Any:
        zero = ir.Constant(_I64, 0)
        _store(b, b.fneg(_load(b, _F32, 1, args[0], zero)), args[0], zero)
        return context.get_dummy_value()

    return types.void(types.intp), generate


minsum = _operation(3, _minsum)
"""(source, n, out): out = sign(x) sign(y) min(|x|, |y|) of the two halves of 2 n values."""

given = _operation(4, _given)
"""(source, signs, n, out): out = y + s x of the two halves of 2 n values."""

join = _operation(4, _join)
"""(left, right, n, out): out = (left * right, right), 2 n values."""

decide = _operation(3, _decide)
"""(source, n, out): out = +1 where the value is 0 or more, else -1."""

against = _operation(3, _against)
"""(source, n, out): two sums, of the magnitudes that speak against all +1 and against all -1."""

magnitudes = _operation(4, _magnitudes)
"""(source, n, out, summary): bit patterns of |x|; summary: exclusive-or of all signs (top bit), least pattern."""

smallest = _operation(3, _smallest)
"""(source, n, out): least of n int32."""

fill = _operation(3, _fill)
"""(value, n, out): n times an integer, as float32."""
