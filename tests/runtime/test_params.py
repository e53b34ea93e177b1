from dataclasses import field
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from semwave.runtime import FrameBlock, In, Out, Param, ParameterError, Stream, SyncBlock
from semwave.runtime.params import param_specs


class Knobs(SyncBlock):
    """Every kind of parameter."""

    order: Annotated[int, Param("points", choices=(4, 16, 64))] = 16
    snr_db: Annotated[float, Param("ratio", unit="dB", low=-20, high=60)] = 10.0
    window: Annotated[str, Param(choices=("hann", "rect"))] = "hann"
    mode: Literal["fast", "exact", 3] = "fast"
    seed: int | None = None
    taps: tuple[float, ...] = (1.0,)
    pair: tuple[int, str] = (1, "a")
    names: list[str] = field(default_factory=lambda: ["x"])
    table: dict[str, int] = field(default_factory=dict)
    flag: bool = False
    free: Any = None
    even: int = 0

    x = In(Stream(np.uint8))
    y = Out(Stream(np.uint8))

    def check(self) -> None:
        if self.even % 2:
            raise ValueError(f"even must be even, not {self.even}")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("order", "16", "order must be int, not '16'"),
        ("order", 16.5, "order must be int, not 16.5"),
        ("order", True, "order must be int, not True"),
        ("order", 17, "order must be 4, 16 or 64, not 17"),
        ("snr_db", "3", "snr_db must be float, not '3'"),
        ("snr_db", True, "snr_db must be float, not True"),
        ("snr_db", -21, "snr_db must be at least -20 dB, not -21.0"),
        ("snr_db", 60.5, "snr_db must be at most 60 dB, not 60.5"),
        ("snr_db", float("nan"), "snr_db must be a number, not nan"),
        ("window", "Hann", "window must be 'hann' or 'rect', not 'Hann'"),
        ("mode", "slow", "mode must be 'fast', 'exact' or 3, not 'slow'"),
        ("mode", 3.0, "mode must be 'fast', 'exact' or 3, not 3.0"),
        ("seed", "x", "seed must be int or None, not 'x'"),
        ("taps", 1.0, "taps must be tuple[float, ...], not 1.0"),
        ("taps", ["a"], "taps must be tuple[float, ...], not ['a']"),
        ("pair", (1,), "pair must be tuple[int, str], not (1,)"),
        ("names", "abc", "names must be list[str], not 'abc'"),
        ("table", {"a": "b"}, "table must be dict[str, int], not {'a': 'b'}"),
        ("flag", 1, "flag must be bool, not 1"),
        ("even", 3, "even must be even, not 3"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: Any, text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Knobs(**{name: value})
    assert str(caught.value) == f"Knobs: {text}"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("snr_db", 3, 3.0),
        ("snr_db", np.float32(0.5), 0.5),
        ("order", np.int64(64), 64),
        ("taps", [1, 2.5], (1.0, 2.5)),
        ("taps", [], ()),
        ("pair", [2, "b"], (2, "b")),
        ("names", ("p", "q"), ["p", "q"]),
        ("seed", None, None),
        ("mode", 3, 3),
        ("flag", np.True_, True),
        ("free", {"any": "thing"}, {"any": "thing"}),
    ],
)
def test_a_good_value_is_kept_in_its_type(name: str, value: Any, kept: Any) -> None:
    found = getattr(Knobs(**{name: value}), name)
    assert found == kept
    assert type(found) is type(kept)


def test_specs_hold_defaults_docs_and_what_is_required() -> None:
    class Needs(FrameBlock):
        path: Annotated[str, Param("a file", path=True)]
        items: list[int] = field(default_factory=lambda: [1])

    specs = param_specs(Needs)
    assert list(specs) == ["path", "items"]
    assert specs["path"].required
    assert specs["path"].param.doc == "a file"
    assert not specs["items"].required
    assert specs["items"].default == [1]
    assert [s.type_name for s in param_specs(Knobs).values()][:5] == [
        "int", "float", "str", "'fast', 'exact' or 3", "int or None",
    ]  # fmt: skip


def test_a_whole_float_is_an_integer() -> None:
    order = Knobs(order=1.6e1).order  # type: ignore[arg-type]
    assert (order, type(order)) == (16, int)
    with pytest.raises(ParameterError, match="order must be int, not 1e"):
        Knobs(order=1e300)  # type: ignore[arg-type]


def test_parameters_are_inherited_and_their_defaults_can_change() -> None:
    class Tuned(Knobs):
        order: Annotated[int, Param(choices=(4, 16, 64))] = 4
        more: int = 1

    assert Tuned().parameters() == {**Knobs().parameters(), "order": 4, "more": 1}
    assert list(Tuned.class_ports) == ["x", "y"]


def test_ports_and_parameters_of_two_bases_are_both_there() -> None:
    class Gain(SyncBlock):
        gain: float = 1.0
        x = In(Stream(np.float32))

    class Told(SyncBlock):
        offset: float = 0.0
        y = Out(Stream(np.float32))

    class Both(Gain, Told):
        def work(self, x: Any) -> Any:
            return self.gain * x + self.offset

    assert set(Both.class_ports) == {"x", "y"}
    assert Both(gain=2.0, offset=1.0).parameters() == {"gain": 2.0, "offset": 1.0}


def test_python_itself_refuses_unknown_and_positional_parameters() -> None:
    with pytest.raises(TypeError, match="ordr"):
        Knobs(ordr=16)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Knobs(16)  # type: ignore[misc]


def test_repr_can_be_evaluated() -> None:
    block = Knobs(order=4, taps=(0.5,), table={"a": 1})
    assert eval(repr(block)).parameters() == block.parameters()


def test_an_annotated_port_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Wrong\.items is a port: write items = \.\.\., without an annotation"):

        class Wrong(FrameBlock):
            items: In = In(Stream(None))


@pytest.mark.parametrize("name", ["start", "work", "ports", "rate"])
def test_a_parameter_cannot_hide_a_method(name: str) -> None:
    with pytest.raises(TypeError, match=rf"Wrong\.{name} cannot be a parameter: blocks have a method"):
        type("Wrong", (SyncBlock,), {"__annotations__": {name: int}, name: 1})


def test_batch_sizes_are_checked() -> None:
    from parts import Batches

    with pytest.raises(ParameterError, match="max_batch must be at least 1 packets, not 0"):
        Batches(max_batch=0)
    with pytest.raises(ParameterError, match="max_wait_s must be at least 0 s"):
        Batches(max_wait_s=-1)
