"""Explicit LLVM vectors inside numba functions.

numba has no vector type, and LLVM does not vectorise the decoder's inner loop by itself. These intrinsics give
numba code vectors of 32 integers or 16 floats: ``load(array, i)`` takes its lane type from the array, so one kernel
serves int8, int16 and float32. LLVM splits the vectors where registers are shorter (AVX2, SSE2, NEON).

numba's cache sees only the file that a kernel itself is in; ``modulation.kernel_cache`` sees to the rest.

Integers saturate when added or subtracted; magnitudes are unsigned, so that the magnitude of the most negative
integer is right.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model


def lanes_of(dtype: Any) -> int:
    """Lanes of a vector of a NumPy or numba type: 16 of four bytes or more, 32 of less."""
    return 16 if getattr(dtype, "itemsize", 0) >= 4 or getattr(dtype, "bitwidth", 0) >= 32 else 32


class VectorType(types.Type):  # type: ignore[misc]
    """A vector of numba type ``dtype``."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.lanes = lanes_of(dtype)
        super().__init__(name=f"Vector({dtype} x {self.lanes})")

    @property
    def is_float(self) -> bool:
        """Whether the lanes are floating point."""
        return isinstance(self.dtype, types.Float)


def lane_type(dtype: Any) -> Any:
    """LLVM's type of one lane."""
    return ir.FloatType() if isinstance(dtype, types.Float) else ir.IntType(dtype.bitwidth)


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: VectorType) -> None:
        super().__init__(dmm, fe_type, ir.VectorType(lane_type(fe_type.dtype), fe_type.lanes))


def _llvm(vector: VectorType, bits: int | None = None) -> Any:
    lane = lane_type(vector.dtype) if bits is None else ir.IntType(bits)
    return ir.VectorType(lane, vector.lanes)


def _integers(vector: VectorType) -> Any:
    return _llvm(vector, vector.dtype.bitwidth)


def _constant(kind: Any, value: float) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _splat(b: Any, scalar: Any, kind: Any) -> Any:
    one = b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)


def _call(b: Any, name: str, kind: Any, *args: Any) -> Any:
    """Call an overloaded LLVM intrinsic whose result and vector arguments are of one kind."""
    letter = "f" if isinstance(kind.element, ir.FloatType) else "i"
    width = 32 if letter == "f" else kind.element.width
    signature = ir.FunctionType(kind, [a.type for a in args])
    function = cgutils.get_or_insert_function(b.module, signature, f"llvm.{name}.v{kind.count}{letter}{width}")
    return b.call(function, list(args))


def _pointer(context: Any, b: Any, array_type: Any, array: Any, index: Any, vector: VectorType) -> Any:
    data = context.make_array(array_type)(context, b, value=array).data
    return b.bitcast(b.gep(data, [index]), _llvm(vector).as_pointer())


@intrinsic
def load(tyctx: Any, array: Any, index: Any) -> Any:
    """Vector at array[index:], any alignment."""
    vector = VectorType(array.dtype)

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        value = b.load(_pointer(context, b, array, args[0], args[1], vector))
        value.align = array.dtype.bitwidth // 8
        return value

    return vector(array, types.intp), gen


@intrinsic
def store(tyctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector to array[index:], any alignment."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        b.store(args[2], _pointer(context, b, array, args[0], args[1], value)).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, value), gen


@intrinsic
def splat(tyctx: Any, array: Any, scalar: Any) -> Any:
    """Vector of the array's lane type with one value in every lane."""
    vector = VectorType(array.dtype)

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        return _splat(b, context.cast(b, args[1], scalar, array.dtype), _llvm(vector))

    return vector(array, scalar), gen


@intrinsic
def peek(tyctx: Any, array: Any, index: Any) -> Any:
    """array[index] of an integer array, without the test for a negative index."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(array)(context, b, value=args[0]).data
        return context.cast(b, b.load(b.gep(data, [args[1]])), array.dtype, types.intp)

    return types.intp(array, types.intp), gen


def _binary(name: str, doc: str, integer: Callable[..., Any], floating: Callable[..., Any]) -> Any:
    def typed(tyctx: Any, x: Any, y: Any) -> Any:
        def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
            return (floating if x.is_float else integer)(b, _llvm(x), *args)

        return x(x, y), gen

    typed.__name__ = typed.__qualname__ = name
    typed.__doc__ = doc
    return intrinsic(typed)


def _pick(b: Any, less: str, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered(less, x, y), x, y)


def _bitwise(b: Any, kind: Any, operation: str, x: Any, y: Any) -> Any:
    integers = ir.VectorType(ir.IntType(32), kind.count)
    return b.bitcast(getattr(b, operation)(b.bitcast(x, integers), b.bitcast(y, integers)), kind)


add = _binary(
    "add",
    "x + y, saturating for integers.",
    lambda b, kind, x, y: _call(b, "sadd.sat", kind, x, y),
    lambda b, kind, x, y: b.fadd(x, y),
)
sub = _binary(
    "sub",
    "x - y, saturating for integers.",
    lambda b, kind, x, y: _call(b, "ssub.sat", kind, x, y),
    lambda b, kind, x, y: b.fsub(x, y),
)
least = _binary(
    "least",
    "Lesser of two magnitudes.",
    lambda b, kind, x, y: _call(b, "umin", kind, x, y),
    lambda b, kind, x, y: _pick(b, "<", x, y),
)
greatest = _binary(
    "greatest",
    "Greater of two magnitudes.",
    lambda b, kind, x, y: _call(b, "umax", kind, x, y),
    lambda b, kind, x, y: _pick(b, ">", x, y),
)
xor = _binary(
    "xor",
    "Exclusive or of the bits; the sign bit is the product of the signs.",
    lambda b, kind, x, y: b.xor(x, y),
    lambda b, kind, x, y: _bitwise(b, kind, "xor", x, y),
)
union = _binary(
    "union",
    "Or of the bits.",
    lambda b, kind, x, y: b.or_(x, y),
    lambda b, kind, x, y: _bitwise(b, kind, "or_", x, y),
)


@intrinsic
def magnitude(tyctx: Any, x: Any) -> Any:
    """|x|, unsigned for integers."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        if x.is_float:
            return _call(b, "fabs", _llvm(x), args[0])
        return _call(b, "abs", _llvm(x), args[0], ir.Constant(ir.IntType(1), 0))

    return x(x), gen


def _byte_product(b: Any, x: Any, f: Any) -> Any:
    """(x * f + 128) / 256 of unsigned bytes, even and odd ones apart: nothing moves to another lane."""
    pairs = ir.VectorType(ir.IntType(16), x.type.count // 2)
    both, f = b.bitcast(x, pairs), _splat(b, b.trunc(f, pairs.element), pairs)
    half, byte, upper = (_constant(pairs, n) for n in (128, 8, 0xFF00))
    even = b.lshr(b.add(b.mul(b.and_(both, _constant(pairs, 0xFF)), f), half), byte)
    odd = b.and_(b.add(b.mul(b.lshr(both, byte), f), half), upper)
    return b.bitcast(b.or_(even, odd), x.type)


@intrinsic
def scaled(tyctx: Any, m: Any, factor: Any, offset: Any) -> Any:
    """Magnitudes factor * m - offset, at least 0. The factor counts 2**-16 for int16, which rounds down, and
    2**-8 for int8, which rounds to nearest."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = _llvm(m)
        x, f, o = args
        o = _splat(b, context.cast(b, o, offset, m.dtype), kind)
        if m.is_float:
            f = _splat(b, context.cast(b, f, factor, m.dtype), kind)
            return _pick(b, ">", b.fsub(b.fmul(x, f), o), _constant(kind, 0.0))
        if m.dtype.bitwidth == 8:
            return _call(b, "usub.sat", kind, _byte_product(b, x, f), o)
        wide = _llvm(m, 2 * m.dtype.bitwidth)
        f = b.zext(_splat(b, b.trunc(f, kind.element), kind), wide)  # in this order it is one high multiplication
        product = b.lshr(b.mul(b.zext(x, wide), f), _constant(wide, m.dtype.bitwidth))
        return _call(b, "usub.sat", kind, b.trunc(product, kind), o)

    return m(m, factor, offset), gen


@intrinsic
def choose_equal(tyctx: Any, x: Any, y: Any, same: Any, other: Any) -> Any:
    """``same`` in the lanes where x equals y, ``other`` elsewhere."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        equal = b.fcmp_ordered("==", *args[:2]) if x.is_float else b.icmp_unsigned("==", *args[:2])
        return b.select(equal, args[2], args[3])

    return x(x, x, x, x), gen


def _negative(b: Any, vector: VectorType, value: Any) -> Any:
    integers = _integers(vector)
    return b.icmp_signed("<", b.bitcast(value, integers), _constant(integers, 0))


@intrinsic
def with_sign(tyctx: Any, m: Any, s: Any) -> Any:
    """-m in the lanes where the sign bit of s is set, m elsewhere."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = _llvm(m)
        if m.is_float:
            sign = b.bitcast(_constant(_integers(m), -(2**31)), kind)
            return _bitwise(b, kind, "xor", args[0], _bitwise(b, kind, "and_", args[1], sign))
        return b.select(_negative(b, m, args[1]), b.sub(_constant(kind, 0), args[0]), args[0])

    return m(m, m), gen


@intrinsic
def any_negative(tyctx: Any, x: Any) -> Any:
    """True if the sign bit of any lane is set."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        lanes = ir.IntType(x.lanes)
        return b.icmp_unsigned("!=", b.bitcast(_negative(b, x, args[0]), lanes), ir.Constant(lanes, 0))

    return types.boolean(x), gen


@intrinsic
def clamped(tyctx: Any, x: Any, limit: Any) -> Any:
    """Floats held within +-limit; integers as they are, for they saturate already."""

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        if not x.is_float:
            return args[0]
        top = _splat(b, context.cast(b, args[1], limit, x.dtype), _llvm(x))
        return _pick(b, "<", _pick(b, ">", args[0], b.fneg(top)), top)

    return x(x, limit), gen


@intrinsic
def store_steps(tyctx: Any, array: Any, index: Any, word: Any, at: Any, scale: Any, limit: Any) -> Any:
    """array[index:] = -word[at:] * scale within +-limit, rounded half to even for integers; word is float32."""
    vector = VectorType(array.dtype)

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = ir.VectorType(ir.FloatType(), vector.lanes)
        data = context.make_array(word)(context, b, value=args[2]).data
        values = b.load(b.bitcast(b.gep(data, [args[3]]), kind.as_pointer()), align=4)
        values = b.fsub(_constant(kind, 0.0), b.fmul(values, _splat(b, args[4], kind)))
        top = _splat(b, args[5], kind)
        values = _pick(b, "<", _pick(b, ">", values, b.fneg(top)), top)
        if not vector.is_float:
            magic = _constant(kind, 1.5 * 2**23)  # adding and taking off rounds to a whole number
            values = b.fsub(b.fadd(values, magic), magic)
            values = b.trunc(b.fptosi(values, ir.VectorType(ir.IntType(32), vector.lanes)), _llvm(vector))
        place = _pointer(context, b, array, args[0], args[1], vector)
        b.store(values, place).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, word, types.intp, types.float32, types.float32), gen
