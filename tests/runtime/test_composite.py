from pathlib import Path

import numpy as np
import pytest
from parts import INTS, Gain, HeavyCopy, Numbers, Pass, Sum, values

from semwave.blocks.basic import VectorSink
from semwave.runtime import BlockError, Composite, ConnectError, Flowgraph, In, Out, ParameterError, Stream
from semwave.runtime.graphfile import load


class Affine(Composite):
    """``gain * x + x``: the input is fanned out inside."""

    gain: int = 2

    x = In(INTS)
    y = Out(INTS)

    def build(self, inner: Flowgraph) -> None:
        inner.add(gain=Gain(gain=self.gain), sum=Sum()).connect("gain > sum.a")
        inner.expose(x=["gain.items", "sum.b"], y="sum.total")


class Twice(Composite):
    """Two of them, one in the other's tail."""

    x = In(INTS)
    y = Out(INTS)

    def build(self, inner: Flowgraph) -> None:
        inner.add(one=Affine(gain=1), two=Affine(gain=3)).connect("one > two")
        inner.expose(x="one.x", y="two.y")


def run(block: object, count: int = 50) -> list[int]:
    sink = VectorSink()
    fg = Flowgraph(chunk=7).add(src=Numbers(count=count), it=block, sink=sink)  # type: ignore[arg-type]
    fg.connect("src > it > sink").run(timeout_s=20)
    return values(sink)


def test_a_composite_is_a_block() -> None:
    assert run(Affine()) == [3 * i for i in range(50)]
    assert repr(Affine(gain=4)).endswith("Affine(gain=4)")


def test_composites_nest_and_inner_names_show_the_way() -> None:
    assert run(Twice()) == [8 * i for i in range(50)]
    plan = Flowgraph().add(src=Numbers(), it=Twice(), k=VectorSink()).connect("src > it > k").check()
    assert set(plan.blocks) == {"src", "it/one/gain", "it/one/sum", "it/two/gain", "it/two/sum", "k"}
    assert sorted(map(str, plan.edges))[:3] == [
        "it/one/gain.scaled > it/one/sum.a",
        "it/one/sum.total > it/two/gain.items",
        "it/one/sum.total > it/two/sum.b",
    ]


def test_a_graph_is_a_block() -> None:
    inner = Flowgraph().add(p=Pass(), g=Gain(gain=5)).connect("p > g").expose(x="p.items", y="g.scaled")
    block = inner.as_block()
    assert list(block.ports) == ["x", "y"]
    assert isinstance(block.ports["x"], In)
    assert block.ports["y"].spec == INTS
    assert run(block) == [5 * i for i in range(50)]


def test_one_graph_cannot_be_two_blocks() -> None:
    inner = Flowgraph().add(p=Pass()).expose(x="p.items", y="p.same")
    fg = Flowgraph().add(s=Numbers(), a=inner.as_block(), b=inner.as_block(), k=VectorSink())
    with pytest.raises(ConnectError, match="a/p and b/p are the same block; make one for each place"):
        fg.connect("s > a > b > k").check()


def test_heavy_blocks_inside_get_their_thread() -> None:
    class Deep(Composite):
        x = In(INTS)
        y = Out(INTS)

        def build(self, inner: Flowgraph) -> None:
            inner.add(h=HeavyCopy()).expose(x="h.items", y="h.copied")

    sink = VectorSink()
    result = Flowgraph().add(s=Numbers(), d=Deep(), k=sink).connect("s > d > k").run(timeout_s=20)
    assert (values(sink), result.threads) == (list(range(100)), 2)


def test_errors_inside_name_the_place() -> None:
    class Bad(Composite):
        x = In(INTS)
        y = Out(INTS)

        def build(self, inner: Flowgraph) -> None:
            inner.add(g=Gain(gain=11)).expose(x="g.items", y="g.scaled")

    fg = Flowgraph().add(s=Numbers(), bad=Bad(), k=VectorSink()).connect("s > bad > k")
    with pytest.raises(ParameterError, match=r"^bad \(Bad\): Gain: gain must be at most 10, not 11$"):
        fg.check()


def test_build_that_fails_names_the_composite() -> None:
    class Bad(Composite):
        x = In(INTS)

        def build(self, inner: Flowgraph) -> None:
            raise KeyError("gone")

    with pytest.raises(BlockError, match=r"^in bad \(Bad\), build: KeyError\('gone'\)$") as caught:
        Flowgraph().add(s=Numbers(), bad=Bad()).connect("s > bad").check()
    assert isinstance(caught.value.__cause__, KeyError)


def test_all_ports_must_be_exposed_and_in_the_right_direction() -> None:
    class Half(Composite):
        x = In(INTS)
        y = Out(INTS)

        def build(self, inner: Flowgraph) -> None:
            inner.add(p=Pass()).expose(x="p.items")

    with pytest.raises(ConnectError, match=r"half \(Half\) exposes nothing as its port y"):
        Flowgraph().add(s=Numbers(), half=Half(), k=VectorSink()).connect("s > half > k").check()

    class Wrong(Half):
        def build(self, inner: Flowgraph) -> None:
            inner.add(p=Pass()).expose(y="p.items", x="p.same")

    with pytest.raises(ConnectError, match=r"port x and what it exposes, p.same, are not of one direction"):
        Flowgraph().add(s=Numbers(), w=Wrong(), k=VectorSink()).connect("s > w > k").check()


def test_an_inner_input_is_fed_once() -> None:
    inner = Flowgraph().add(s=Numbers(), p=Pass()).connect("s > p").expose(x="p.items", y="p.same")
    fg = Flowgraph().add(t=Numbers(), it=inner.as_block(), k=VectorSink()).connect("t > it > k")
    with pytest.raises(ConnectError, match=r"it/p.items is fed by t.items and it/s.items"):
        fg.check()


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ({"x": "q.items"}, "in 'q.items': no block 'q'; there are p, n"),
        ({"x": "p.what"}, "port x: no port 'what'"),
        ({"x": ["p.items", "p.same"]}, "port x: expose one output, or inputs only, not p.items, p.same"),
        ({"y": ["p.same", "n.items"]}, "port y: expose one output, or inputs only"),
    ],
)
def test_expose_refuses(ports: dict[str, object], text: str) -> None:
    with pytest.raises(ConnectError, match=text):
        Flowgraph().add(p=Pass(), n=Numbers()).expose(**ports)  # type: ignore[arg-type]


INNER = """
connect = ["double > copy"]
[params]
gain = 2.0
[blocks]
double = { use = "MultiplyConst", gain = "$gain" }
copy = { use = "Copy" }
[ports]
samples = "double.samples"
scaled = "copy.copied"
"""

OUTER = """
connect = ["source > first > second > sink"]
[blocks]
source = { use = "VectorSource", values = [1, 2, 3], dtype = "complex64" }
first = { use = "inner.toml" }
second = { use = "deep/middle.toml", gain = 5.0 }
sink = { use = "VectorSink" }
"""

MIDDLE = """
[params]
gain = 3.0
[blocks]
it = { use = "../inner.toml", gain = "$gain" }
[ports]
in = "it.samples"
out = "it.scaled"
"""


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


def test_files_nest_in_files(tmp_path: Path) -> None:
    write(tmp_path, inner=INNER, outer=OUTER)
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", middle=MIDDLE)
    fg = load(tmp_path / "outer.toml")
    fg.run(timeout_s=20)
    assert fg.blocks["sink"].data.tolist() == [10, 20, 30]  # type: ignore[attr-defined]
    assert "second/it/double" in fg.check().blocks
    assert Stream(np.complex64) == fg.check().inputs["second/it/double"]["samples"]
    assert load(tmp_path / "outer.toml", ["second.gain=1.5"]).blocks["second"].opened() is not None  # type: ignore[attr-defined]
