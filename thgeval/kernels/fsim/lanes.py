"""Eight single numbers that the processor computes with at once, as values inside loops.

Loops over a fixed few numbers are unrolled before a compiler thinks of vectors, so these are vectors from the start:
``load8`` neighbours of a flat array of float32, add, subtract, multiply and divide them lane by lane, and
``store8`` them. Processors with shorter vectors take two or four for one. A product and the sum it goes into may be
fused, as ``jit(fastmath=True)`` has it; nothing else is reordered.

Here they are the four scales of filters for either side: generated first, then reference. For four neighbouring
pixels at once, what is alike for all scales takes one vector: four pixels of the one side, then of the other.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8

_SINGLE, _WHOLE = ir.FloatType(), ir.IntType(32)
_VECTOR, _HALF = ir.VectorType(_SINGLE, LANES), ir.VectorType(_SINGLE, LANES // 2)
_ANY = ir.Constant(_VECTOR, ir.Undefined)
_FUSED = ("contract",)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__("Lanes")


_lanes = _Lanes()


@register_model(_Lanes)
class _Vector(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _arithmetic(symbol: Any, instruction: str) -> None:
    @infer_global(symbol)
    class _Typed(ConcreteTemplate):
        cases = [signature(_lanes, _lanes, _lanes)]  # noqa: RUF012

    @lower_builtin(symbol, _Lanes, _Lanes)
    def lowered(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, instruction)(*arguments, flags=_FUSED)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def _compiled(typed: Callable[..., Any]) -> Any:
    """What compiled loops may call: ``typed`` tells for types of arguments the whole type, and the code for it."""
    return intrinsic(typed)


def _at(context: Any, builder: Any, vector: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _picked(builder: Any, vectors: Any, lanes: list[int]) -> Any:
    """Chosen lanes of one vector, or of two, the second's counted after the first's."""
    first, second = [*vectors, ir.Constant(vectors[0].type, ir.Undefined)][:2]
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_WHOLE, len(lanes)), lanes))


@_compiled
def load8(_typing: Any, array: Any, _index: Any) -> Any:
    """Eight neighbours of a flat array of float32, from ``index``."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        return builder.load(_at(context, builder, _VECTOR, signed.args[0], *arguments), align=4)

    return _lanes(array, types.intp), code


@_compiled
def store8(_typing: Any, array: Any, _index: Any, _values: Any) -> Any:
    """Put eight numbers into a flat array of float32, from ``index``."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        array, index, values = arguments
        builder.store(values, _at(context, builder, _VECTOR, signed.args[0], array, index), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes), code


@_compiled
def load_twice(_typing: Any, array: Any, _index: Any) -> Any:
    """Four neighbours of a flat array of float32 from ``index``, for either side."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        four = builder.load(_at(context, builder, _HALF, signed.args[0], *arguments), align=4)
        return _picked(builder, [four], [0, 1, 2, 3] * 2)

    return _lanes(array, types.intp), code


@_compiled
def load_sides(_typing: Any, array: Any, _index: Any, _gap: Any) -> Any:
    """Four neighbours of a flat array of float32 from ``index``, and four from ``gap`` further on."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        array, index, gap = arguments
        places = [_at(context, builder, _HALF, signed.args[0], array, at) for at in (index, builder.add(index, gap))]
        return _picked(builder, [builder.load(place, align=4) for place in places], [*range(LANES)])

    return _lanes(array, types.intp, types.intp), code


@_compiled
def store_sides(_typing: Any, array: Any, _index: Any, _gap: Any, _values: Any) -> Any:
    """Put four numbers into a flat array of float32 from ``index``, and four from ``gap`` further on."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        array, index, gap, values = arguments
        for first, at in ((0, index), (4, builder.add(index, gap))):
            half = _picked(builder, [values], [*range(first, first + 4)])
            builder.store(half, _at(context, builder, _HALF, signed.args[0], array, at), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, _lanes), code


@_compiled
def fill8(_typing: Any, _value: Any) -> Any:
    """One number in all lanes."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        return _picked(builder, [builder.insert_element(_ANY, arguments[0], ir.Constant(_WHOLE, 0))], [0] * LANES)

    return _lanes(types.float32), code


@_compiled
def of_sides(_typing: Any, _generated: Any, _reference: Any) -> Any:
    """One number in all lanes of a side, and another in all of the other side."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        vector = _ANY
        for lane, value in enumerate(arguments):
            vector = builder.insert_element(vector, value, ir.Constant(_WHOLE, lane))
        return _picked(builder, [vector], [0] * 4 + [1] * 4)

    return _lanes(types.float32, types.float32), code


@_compiled
def larger(_typing: Any, _values: Any, _others: Any) -> Any:
    """The larger of two numbers, lane by lane."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return _lanes(_lanes, _lanes), code


@_compiled
def scale_sums(_typing: Any, _first: Any, _second: Any, _third: Any, _fourth: Any) -> Any:
    """Of each of four pixels the sum over scales."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        one, two, three, four = arguments
        return _neighbours_added(builder, _neighbours_added(builder, one, two), _neighbours_added(builder, three, four))

    return _lanes(*[_lanes] * 4), code


def _neighbours_added(builder: Any, one: Any, two: Any) -> Any:
    even = _picked(builder, [one, two], [0, 2, 8, 10, 4, 6, 12, 14])
    odd = _picked(builder, [one, two], [1, 3, 9, 11, 5, 7, 13, 15])
    return builder.fadd(even, odd)


@_compiled
def smallest_scales(_typing: Any, _first: Any, _second: Any, _third: Any, _fourth: Any) -> Any:
    """Of each of four pixels the first scale."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        one, two, three, four = arguments
        pairs = [_picked(builder, pair, [0, 8, 0, 8, 4, 12, 4, 12]) for pair in ([one, two], [three, four])]
        return _picked(builder, pairs, [0, 1, 8, 9, 4, 5, 12, 13])

    return _lanes(*[_lanes] * 4), code


@_compiled
def for_all_scales(_typing: Any, _values: Any) -> Any:
    """Of four pixels' numbers, those of each in the lanes of all scales: a tuple of four."""

    def code(context: Any, builder: Any, signed: Any, arguments: Any) -> Any:
        pixels = [_picked(builder, arguments, [pixel] * 4 + [pixel + 4] * 4) for pixel in range(4)]
        return context.make_tuple(builder, signed.return_type, pixels)

    return types.UniTuple(_lanes, 4)(_lanes), code


@_compiled
def exchanged(_typing: Any, _a: Any, _b: Any, _c: Any, _d: Any, _e: Any, _f: Any, _g: Any, _h: Any) -> Any:
    """The first lanes of eight vectors as one, the second as another, and so on: a tuple of eight."""

    def code(context: Any, builder: Any, signed: Any, rows: Any) -> Any:
        for apart in (4, 2, 1):
            low = [lane if not lane & apart else lane - apart + LANES for lane in range(LANES)]
            high = [lane + apart for lane in low]
            made = list(rows)
            for row in range(LANES):
                if not row & apart:
                    pair = [rows[row], rows[row + apart]]
                    made[row], made[row + apart] = _picked(builder, pair, low), _picked(builder, pair, high)
            rows = made
        return context.make_tuple(builder, signed.return_type, rows)

    return types.UniTuple(_lanes, LANES)(*[_lanes] * LANES), code


@_compiled
def any_within(_typing: Any, _values: Any, _least: Any, _beyond: Any) -> Any:
    """Whether any lane's number is at least one bound and less than another."""

    def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
        values, least, beyond = arguments
        inside = builder.and_(builder.fcmp_ordered(">=", values, least), builder.fcmp_ordered("<", values, beyond))
        bits = builder.bitcast(inside, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(_lanes, _lanes, _lanes), code


def _function(name: str) -> Any:
    """One of LLVM's own functions of a vector."""

    @_compiled
    def function(_typing: Any, _values: Any) -> Any:
        def code(_context: Any, builder: Any, _signed: Any, arguments: Any) -> Any:
            kind = ir.FunctionType(_VECTOR, [_VECTOR])
            return builder.call(get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32"), arguments)

        return _lanes(_lanes), code

    return function


square_root = _function("sqrt")
magnitude = _function("fabs")
