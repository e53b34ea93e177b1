from itertools import pairwise

import numpy as np
import pytest
from parts import INTS, Either, Fork, FrameNumbers, HeavyPass, Numbers, Pair, Pass, Repeat, Stopper, Sum

from semwave.blocks.basic import Copy, NullSink, NullSource, VectorSink
from semwave.runtime import (
    BatchBlock,
    Block,
    ConnectError,
    Flowgraph,
    FrameBlock,
    In,
    Out,
    ParameterError,
    Source,
    Stream,
    SyncBlock,
)
from semwave.runtime.plan import Edge


def graph() -> Flowgraph:
    return Flowgraph().add(a=Numbers(), b=Numbers(), sum=Sum(), copy=Copy(), sink=VectorSink(), null=NullSink())


def edges(fg: Flowgraph) -> list[str]:
    return [str(e) for e in fg.edges]


# ---- adding -------------------------------------------------------------------------------------------------


def test_add_takes_names_that_python_does_not() -> None:
    fg = Flowgraph().add({"my-source": Numbers()}, sink=VectorSink())
    assert list(fg.connect("my-source > sink").blocks) == ["my-source", "sink"]


def test_add_refuses() -> None:
    block = Numbers()
    fg = Flowgraph().add(a=block)
    with pytest.raises(ConnectError, match="there is already a block called 'a'"):
        fg.add(a=Numbers())
    with pytest.raises(ConnectError, match="b: this block is in the graph already, under another name"):
        fg.add(b=block)
    with pytest.raises(ConnectError, match=r"c is <class '.*Numbers'>, not a block"):
        fg.add(c=Numbers)  # type: ignore[arg-type]
    for name in ("", "a b", "a.b", "a>b", "a/b", "a\tb"):
        with pytest.raises(ConnectError, match=r"a block cannot be called .*: use letters, digits, _ and -"):
            fg.add({name: Numbers()})


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "7"])
def test_seed_is_checked(seed: object) -> None:
    with pytest.raises(ParameterError, match=r"seed must be an int from 0 to 2\*\*63 - 1, not"):
        Flowgraph(seed=seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("chunk", [0, -1, 1.5, True])
def test_chunk_is_checked(chunk: object) -> None:
    with pytest.raises(ParameterError, match="chunk must be an int of at least 1, not"):
        Flowgraph(chunk=chunk)  # type: ignore[arg-type]


# ---- the syntax of connect ----------------------------------------------------------------------------------


def test_chains_find_the_only_port() -> None:
    fg = graph().connect("a > copy > sink")
    assert edges(fg) == ["a.items > copy.items", "copy.copied > sink.items"]
    assert fg.edges[0] == Edge("a", "items", "copy", "items")


def test_ports_can_be_named_anywhere_and_blanks_do_not_matter() -> None:
    fg = graph().connect("a.items>sum.a>copy.copied   >  sink.items", " b > sum.b ")
    assert edges(fg) == [
        "a.items > sum.a",
        "sum.total > copy.items",
        "copy.copied > sink.items",
        "b.items > sum.b",
    ]


def test_the_only_required_port_is_taken_before_optional_ones() -> None:
    fg = Flowgraph().add(s=FrameNumbers(), e=Either(), k=VectorSink()).connect("s > e > k")
    assert edges(fg) == ["s.items > e.a", "e.out > k.items"]


def test_one_output_feeds_many() -> None:
    assert len(graph().connect("a > sink", "a > null", "a > sum.a", "a > sum.b").edges) == 4


@pytest.mark.parametrize(
    ("chain", "text"),
    [
        ("a", r"cannot read 'a': write 'a > b' or 'a.port > b.port > c'"),
        ("a > ", r"cannot read 'a > '"),
        ("a > > sink", r"cannot read"),
        ("", r"cannot read ''"),
        ("a > snk", r"in 'a > snk': no block 'snk'; there are a, b, sum, copy, sink, null \(did you mean sink\?\)"),
        ("a.out > sink", r"a \(Numbers\): no port 'out'; it has items"),
        ("a > sum.c", r"sum \(Sum\): no port 'c'; it has a, b, total, difference"),
        ("a > sum.total", r"sum.total is not an input; sum has inputs a, b"),
        ("sum.a > sink", r"sum.a is not an output; sum has outputs total, difference"),
        ("a > sum", r"in 'a > sum': sum has inputs a, b; say which, as in 'sum.a'"),
        ("sink > copy", r"in 'sink > copy': sink \(VectorSink\) has no output"),
        ("copy > a", r"in 'copy > a': a \(Numbers\) has no input"),
        ("a > sink > null", r"sink \(VectorSink\) has no output"),
    ],
)
def test_a_chain_that_cannot_be_connected(chain: str, text: str) -> None:
    with pytest.raises(ConnectError, match=text):
        graph().connect(chain)


def test_ambiguous_output_is_said() -> None:
    class Two(Source):
        left = Out(INTS)
        right = Out(INTS)

    with pytest.raises(ConnectError, match=r"two has outputs left, right; say which, as in 'two.left'"):
        Flowgraph().add(two=Two(), sink=VectorSink()).connect("two > sink")


def test_an_input_is_fed_once() -> None:
    fg = graph().connect("a > sink")
    with pytest.raises(ConnectError, match=r"a.items > sink.items is connected twice"):
        fg.connect("a > sink")
    with pytest.raises(ConnectError, match=r"sink.items is already fed by a.items"):
        fg.connect("b > sink")


# ---- the whole graph ----------------------------------------------------------------------------------------


def test_an_empty_graph_is_none() -> None:
    with pytest.raises(ConnectError, match="the graph has no blocks"):
        Flowgraph().check()


def test_everything_left_unconnected_is_listed() -> None:
    fg = Flowgraph().add(a=Numbers(), sum=Sum(), sink=VectorSink()).connect("a > sum.a")
    with pytest.raises(ConnectError) as caught:
        fg.check()
    assert str(caught.value) == (
        "not connected: input sum.b (Stream[int64]); output sum.total (Stream[int64]); input sink.items (anything)"
    )


def test_optional_ports_may_stay_open() -> None:
    fg = Flowgraph().add(s=FrameNumbers(), f=Fork(), k=VectorSink()).connect("s > f", "f.even > k")
    assert list(fg.check().outputs["f"]) == ["even", "odd"]


def test_types_must_fit() -> None:
    fg = Flowgraph().add(a=Numbers(), sum=Sum(), k=VectorSink(), n=NullSource())
    fg.connect("a > sum.a", "n > sum.b", "sum.total > k")
    with pytest.raises(ConnectError, match=r"n.items gives Stream\[complex64\], sum.b takes Stream\[int64\]"):
        fg.check()
    fg = Flowgraph().add(f=FrameNumbers(), k=NullSink()).connect("f > k")
    with pytest.raises(ConnectError, match=r"f.items gives Frames\[int64, item\], k.items takes Stream\[any\]"):
        fg.check()


def test_a_loop_is_named() -> None:
    fg = Flowgraph().add(a=Numbers(), sum=Sum(), one=Pass(), two=Pass(), k=VectorSink())
    fg.connect("a > sum.a", "sum.total > one > two > sum.b", "two > k")
    with pytest.raises(ConnectError, match=r"the graph has a loop: (sum|one|two) > .*(sum|one|two)$") as caught:
        fg.check()
    around = str(caught.value).partition(": ")[2].split(" > ")
    assert around[0] == around[-1]
    assert sorted(around[1:]) == ["one", "sum", "two"]
    steps = {("sum", "one"), ("one", "two"), ("two", "sum")}
    assert set(pairwise(around)) == steps


def test_the_order_follows_the_edges() -> None:
    fg = Flowgraph().add(k=VectorSink(), two=Pass(), one=Pass(), a=Numbers()).connect("a > one > two > k")
    assert list(fg.check().blocks) == ["a", "one", "two", "k"]


# ---- what a kind of block may be ----------------------------------------------------------------------------


class SyncOnAnything(SyncBlock):
    from semwave.runtime import ANY

    x = In(ANY)


class TwoInputs(BatchBlock):
    a = In(INTS)
    b = In(INTS)


class PairedStreams(FrameBlock):
    a = In(INTS)
    b = In(INTS)


class NoInputs(FrameBlock):
    y = Out(INTS)


class Loose(FrameBlock):
    x = In(INTS, optional=True)
    y = Out(INTS)


class FedSource(Source):
    x = In(INTS)


class Plain(Block):
    x = In(INTS)


@pytest.mark.parametrize(
    ("block", "chains", "text"),
    [
        (SyncOnAnything, ["f > x"], r"x \(SyncOnAnything\): x gets Frames\[int64, item\]; a SyncBlock takes streams"),
        (TwoInputs, ["n > x.a", "n > x.b"], r"x \(TwoInputs\): a BatchBlock has one input"),
        (
            PairedStreams,
            ["n > x.a", "n > x.b"],
            r"x \(PairedStreams\): a gets Stream\[int64\]; inputs that are paired take frames",
        ),
        (NoInputs, ["x > k"], r"x \(NoInputs\): it has no inputs; make it a Source"),
        (Loose, ["x > k"], r"x \(Loose\): none of its inputs is connected"),
        (FedSource, ["n > x"], r"x \(FedSource\): a source has no inputs"),
        (Plain, ["n > x"], r"x \(Plain\): a block is one of SyncBlock, FrameBlock, BatchBlock, Source"),
    ],
)
def test_a_block_of_the_wrong_kind(block: type[Block], chains: list[str], text: str) -> None:
    fg = Flowgraph().add(f=FrameNumbers(), n=Numbers(), x=block(), k=VectorSink(), stop=Stopper(), f2=Stopper())
    fg.connect("f > stop", "n > f2", *chains)
    if "x > k" not in chains:
        fg.add(z=Numbers()).connect("z > k")
    with pytest.raises(ConnectError, match=text):
        fg.check()


# ---- negotiation --------------------------------------------------------------------------------------------


class At(Source):
    """A stream that knows its rate."""

    rate_hz: float = 1000.0

    y = Out(Stream(np.int64))

    def negotiate(self, inputs: object) -> dict[str, Stream]:
        return {"y": Stream(np.int64, (), self.rate_hz)}

    def packets(self) -> list[object]:
        return []


def test_rates_travel_and_are_rescaled() -> None:
    fg = Flowgraph().add(a=At(), up=Repeat(times=4), copy=Pass(), heavy=HeavyPass(), k=VectorSink())
    plan = fg.connect("a > up > copy > heavy > k").check()
    assert plan.outputs["up"]["more"] == Stream(np.int64, (), 4000.0)
    assert plan.inputs["k"]["items"] == Stream(np.int64, (), 4000.0)


def test_a_declared_output_rate_stands() -> None:
    class Radio(SyncBlock):
        x = In(Stream(None))
        y = Out(Stream(None, (), 48_000.0))

    plan = Flowgraph().add(a=At(), r=Radio(), k=VectorSink()).connect("a > r > k").check()
    assert plan.outputs["r"]["y"] == Stream(np.int64, (), 48_000.0)


def test_rates_must_fit() -> None:
    fg = Flowgraph().add(a=At(), b=At(rate_hz=500.0), sum=Sum(), k=VectorSink())
    fg.connect("a > sum.a", "b > sum.b", "sum.total > k")
    with pytest.raises(ConnectError, match=r"sum \(Sum\): inputs must have one sample rate: a at 1000/s, b at 500/s"):
        fg.check()

    class Radio(FrameBlock):
        x = In(Stream(np.int64, (), 48_000.0))

    fg = Flowgraph().add(a=At(), r=Radio()).connect("a > r")
    with pytest.raises(
        ConnectError, match=r"a.y gives Stream\[int64\] at 1000/s, r.x takes Stream\[int64\] at 48000/s"
    ):
        fg.check()


def test_every_edge_has_a_spec() -> None:
    plan = (
        Flowgraph()
        .add(a=FrameNumbers(), b=FrameNumbers(), p=Pair(), k=VectorSink())
        .connect("a > p.a", "b > p.b", "p > k")
        .check()
    )
    assert str(plan.inputs["k"]["items"]) == "Frames[int64, item]"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (ConnectError("cannot do 3"), r"^x \(Odd\): cannot do 3$"),
        (ValueError("fft_size must be even"), r"^x \(Odd\): fft_size must be even$"),
        (KeyError("gone"), r"^in x \(Odd\), negotiate: KeyError\('gone'\)$"),
        ({}, r"^x \(Odd\): negotiate gave none; the outputs are y$"),
        ({"z": INTS}, r"^x \(Odd\): negotiate gave z; the outputs are y$"),
        (None, r"^x \(Odd\): negotiate gave NoneType; the outputs are y$"),
    ],
)
def test_negotiate_gone_wrong_names_the_block(answer: object, text: str) -> None:
    class Odd(FrameBlock):
        x = In(INTS)
        y = Out(INTS)

        def negotiate(self, inputs: object) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

    with pytest.raises(ConnectError, match=text):
        Flowgraph().add(a=Numbers(), x=Odd(), k=VectorSink()).connect("a > x > k").check()


def test_a_rate_must_be_positive() -> None:
    with pytest.raises(ConnectError, match=r"in up \(Repeat\), rate: ValueError\('rate must be above 0, not 0'\)"):
        Flowgraph().add(a=Numbers(), up=Repeat(times=0), k=VectorSink()).connect("a > up > k").run()
