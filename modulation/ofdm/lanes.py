"""Float arithmetic on the LLVM vectors of :mod:`semwave.modulation.ldpc.vector`: sixteen float32 at a time."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from semwave.modulation.ldpc.vector import VectorType, load, store

__all__ = ["LANES", "broadcast", "load", "minus", "plus", "store", "times"]

LANES = 16
_MAY_FUSE = ("contract",)  # a product and a sum may become one instruction where the machine has it


def _arithmetic(name: str, doc: str, operation: Callable[..., Any]) -> Any:
    def typed(tyctx: Any, x: Any, y: Any) -> Any:
        def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
            return operation(b, *args)

        return x(x, y), gen

    typed.__name__ = typed.__qualname__ = name
    typed.__doc__ = doc
    return intrinsic(typed)


plus = _arithmetic("plus", "x + y.", lambda b, x, y: b.fadd(x, y, flags=_MAY_FUSE))
minus = _arithmetic("minus", "x - y.", lambda b, x, y: b.fsub(x, y, flags=_MAY_FUSE))
times = _arithmetic("times", "x * y.", lambda b, x, y: b.fmul(x, y, flags=_MAY_FUSE))


@intrinsic
def broadcast(tyctx: Any, array: Any, index: Any) -> Any:
    """array[index] in every lane."""
    vector = VectorType(array.dtype)

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        data = context.make_array(array)(context, b, value=args[0]).data
        one = b.load(b.gep(data, [args[1]]), align=4)
        kind = ir.VectorType(ir.FloatType(), LANES)
        first = b.insert_element(ir.Constant(kind, ir.Undefined), one, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return b.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

    return vector(array, types.intp), gen
