"""Transposition in registers, as LLVM: frames that lie one after the other become frames side by side."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from semwave.modulation.ldpc.vector import lane_type


@intrinsic
def transpose16(tyctx: Any, source: Any, at: Any, step: Any, target: Any, to: Any, stride: Any) -> Any:
    """target[to + stride * j + i] = source[at + step * i + j] for i, j in 0 ... 15, by four rounds of interleaving."""
    index = ir.IntType(64)

    def gen(context: Any, b: Any, sig: Any, args: Any) -> Any:
        kind = ir.VectorType(lane_type(source.dtype), 16)
        one = source.dtype.bitwidth // 8

        def place(array_type: Any, array: Any, begin: Any, step: Any, i: int) -> Any:
            data = context.make_array(array_type)(context, b, value=array).data
            where = b.add(begin, b.mul(step, ir.Constant(index, i)))
            return b.bitcast(b.gep(data, [where]), kind.as_pointer())

        rows = [b.load(place(source, args[0], args[1], args[2], i), align=one) for i in range(16)]
        pick = [
            ir.Constant(ir.VectorType(ir.IntType(32), 16), [x for i in half for x in (i, 16 + i)])
            for half in (range(8), range(8, 16))
        ]
        for _ in range(4):
            rows = [b.shuffle_vector(rows[i], rows[i + 8], half) for i in range(8) for half in pick]
        for i, row in enumerate(rows):
            b.store(row, place(target, args[3], args[4], args[5], i)).align = one
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, target, types.intp, types.intp), gen
