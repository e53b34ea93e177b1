"""What a notebook shows of graphs and results."""

from xml.etree import ElementTree

from semwave.blocks.basic import Head, NullSource, RandomBits, VectorSink
from semwave.blocks.measure import ErrorCounter
from semwave.runtime import Flowgraph
from semwave.runtime.stats import BlockStats, Result


def graph() -> Flowgraph:
    return Flowgraph(name="twice").add(bits=RandomBits(count=64), count=ErrorCounter(block=8))


def test_a_graph_is_its_name_and_size() -> None:
    fg = graph().connect("bits > count.sent", "bits > count.received")
    assert repr(fg) == "<Flowgraph twice: 2 blocks, 2 edges>"


def test_a_complete_graph_is_drawn() -> None:
    fg = Flowgraph(name="a < b").add(zeros=NullSource(count=3), first=Head(count=2), sink=VectorSink())
    drawn = fg.connect("zeros > first > sink")._repr_svg_()
    assert drawn is not None
    assert ElementTree.fromstring(drawn.encode()).tag == "{http://www.w3.org/2000/svg}svg"


def test_a_graph_that_is_being_built_is_not_drawn() -> None:
    assert graph().connect("bits > count.sent")._repr_svg_() is None
    assert Flowgraph()._repr_svg_() is None


def test_a_result_reads_as_the_run_printed_it() -> None:
    result = graph().connect("bits > count.sent", "bits > count.received").run()
    lines = repr(result).splitlines()
    assert lines[0].startswith("<Result: ")
    assert lines[0].endswith(" s, 2 blocks>")
    assert lines[1] == "count"
    assert lines[2].startswith("  BER ")
    assert lines[3].endswith("0 of 8")


def test_a_result_tells_of_warnings_and_an_early_end() -> None:
    blocks = [BlockStats("a", "Copy", 0, 0, 0, 0.0, 0)]
    assert repr(Result(1.25, blocks, ["a: odd"], interrupted=True)) == (
        "<Result: 1.25 s, 1 blocks, interrupted>\nwarning: a: odd"
    )
