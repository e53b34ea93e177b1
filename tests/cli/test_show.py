"""``semwave show``: Mermaid text and pictures."""

import struct
import sys
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from semwave.blocks.basic import Copy, MultiplyConst, NullSink, VectorSource
from semwave.commands._diagram import Diagram, Link, Node, carries, changed, of_block, of_graph
from semwave.commands._mermaid import mermaid
from semwave.commands._picture import draw
from semwave.runtime import ANY, BatchBlock, Composite, Flowgraph, Frames, In, Out, Stream, registry


class Loop(Composite):
    """Two gains."""

    gain: float = 2.0

    samples = In(Stream(np.complex64))
    scaled = Out(Stream(np.complex64))

    def build(self, inner):
        inner.add(up=MultiplyConst(gain=self.gain), down=MultiplyConst(gain=0.5)).connect("up > down")
        inner.expose(samples="up.samples", scaled="down.scaled")


class Model(BatchBlock):
    """Needs a thread of its own."""

    image = In(Frames(np.uint8, ("h", "w", 3)))
    text = In(Frames(np.uint8, ("n",)), optional=True)
    code = Out(Frames(np.uint8, ("n",)))


@pytest.fixture
def composite():
    graph = Flowgraph(name="inside")
    graph.add(source=VectorSource(values=(1.0, 2.0), dtype="complex64"), loop=Loop(gain=3.0), sink=NullSink())
    return graph.connect("source > loop > sink")


def test_mermaid_of_a_file(cli, head):
    assert cli("show", head).out == (
        "flowchart LR\n"
        '    n0_bits(["<b>bits</b><br>RandomBits"]):::source\n'
        '    n1_head["<b>head</b><br>Head<br>count = 100"]:::plain\n'
        '    n2_sink(["<b>sink</b><br>VectorSink"]):::sink\n'
        '    n0_bits -->|"bits → items<br>uint8"| n1_head\n'
        '    n1_head -->|"first → items<br>uint8"| n2_sink\n'
        "    classDef source fill:#dff0e0,stroke:#3b7d46,color:#1b1b1b\n"
        "    classDef sink fill:#e1ebf7,stroke:#3a6ea5,color:#1b1b1b\n"
        "    classDef plain fill:#f5f5f5,stroke:#707070,color:#1b1b1b\n"
    )


def test_set_shows_in_the_drawing(cli, head):
    assert "count = 7<" not in cli("show", head).out
    assert 'Head<br>count = 7"' in cli("show", head, "--set", "count=7").out


def test_mermaid_keeps_composites_together(composite):
    lines = mermaid(of_graph(composite)).splitlines()
    at = lines.index('    subgraph g_loop["loop<br>Loop"]')
    assert [line.strip().split("[")[0] for line in lines[at + 1 : at + 4]] == ["n1_loop_up", "n2_loop_down", "end"]


def test_mermaid_escapes_what_would_end_a_label():
    text = mermaid(Diagram("x", [Node("a", "A", "plain", ['path = "<b>#1</b>"'])], []))
    assert "path = #quot;#lt;b#gt;#35;1#lt;/b#gt;#quot;" in text


def test_mermaid_to_a_file(cli, head, tmp_path):
    out = tmp_path / "graph.mmd"
    assert cli("show", head, "-o", out) == (0, "", "")
    assert out.read_text(encoding="utf-8") == cli("show", head).out


def test_a_block_between_its_ports(cli):
    text = cli("show", "Add").out
    assert 'n0_Add["<b>Add</b>"]:::plain' in text
    assert '-->|"complex64"| n0_Add' in text
    assert '"<b>total</b><br>output"' in text


def test_an_optional_port_is_dashed():
    diagram = of_block("Model", Model)
    assert [(link.into or link.out, link.optional) for link in diagram.links] == [
        ("image", False),
        ("text", True),
        ("code", False),
    ]
    assert '-.->|"uint8 [n]"| n0_Model' in mermaid(diagram)


def test_heavy_blocks_sources_and_sinks_have_their_roles(monkeypatch, composite):
    assert [n.role for n in of_graph(composite).nodes] == ["source", "plain", "plain", "sink"]
    assert of_block("Model", Model).nodes[0].role == "heavy"


def test_only_changed_parameters_are_shown():
    assert changed(MultiplyConst()) == []
    assert changed(MultiplyConst(gain=2.5)) == ["gain = 2.5"]
    long = changed(VectorSource(values=tuple(range(100))))[0]
    assert long.startswith("values = [0.0, 1.0")
    assert long.endswith("…")
    assert len(long) <= len("values = ") + 26


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Stream(np.complex64, sample_rate=1.92e6), "complex64, 1.92 MHz"),
        (Stream(np.uint8), "uint8"),
        (Stream(None), "any"),
        (Stream(np.float32, (4, 2), 50.0), "float32 × 4 × 2, 50 Hz"),
        (Frames(np.uint8, ("h", "w", 3)), "uint8 [h, w, 3]"),
        (Frames(np.float32, ("n",), 12.5), "float32 [n], 12.5/s"),
        (ANY, "anything"),
    ],
)
def test_what_travels_in_few_words(spec, text):
    assert carries(spec) == text


# ---- pictures --------------------------------------------------------------------------------------------------------


def png_size(data: bytes) -> tuple[int, int]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def test_png_and_svg_files(cli, head, tmp_path):
    png, svg = tmp_path / "a.png", tmp_path / "a.svg"
    assert cli("show", head, "-o", png) == (0, "", "")
    assert cli("show", head, "-o", svg) == (0, "", "")
    width, height = png_size(png.read_bytes())
    assert width > 2 * height > 400  # three blocks in a row
    assert ElementTree.fromstring(svg.read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_graph_gives_the_same_picture(composite):
    assert draw(of_graph(composite), "svg") == draw(of_graph(composite), "svg")


def test_a_long_chain_goes_on_in_another_row():
    def chain(n):
        graph = Flowgraph(name="chain").add(source=VectorSource(), sink=NullSink())
        graph.add({f"c{i}": Copy() for i in range(n)})
        return graph.connect(" > ".join(["source", *(f"c{i}" for i in range(n)), "sink"]))

    (short, low), (long, high) = (png_size(draw(of_graph(chain(n)), "png")) for n in (3, 18))
    assert long < 1.6 * short
    assert high > 2 * low


def test_dollars_are_no_mathematics():
    node = Node("a", "A", "plain", ["path = $x_{$"])
    assert png_size(draw(Diagram("cost $1_{", [node], []), "png"))


def test_blocks_without_links_and_many_parameters():
    nodes = [Node("a", "", "plain", [f"p{i} = {i}" for i in range(20)]), Node("b" * 60, "B", "heavy")]
    assert png_size(draw(Diagram("two", nodes, []), "png"))


def test_parallel_links_and_links_that_skip_rows():
    names = [f"n{i}" for i in range(12)]
    links = [Link(a, b, "x", "y", "uint8") for a, b in pairwise(names)]
    links += [Link("n0", "n11", "far", "z", "uint8"), Link("n3", "n4", "w", "w", "float32", optional=True)]
    assert png_size(draw(Diagram("far", [Node(n, "N", "plain") for n in names], links), "png"))


# ---- mistakes --------------------------------------------------------------------------------------------------------


def test_neither_file_nor_block(cli, tmp_path):
    done = cli("show", "MultiplyCosnt")
    assert done.code == 1
    assert "no flowgraph file MultiplyCosnt" in done.err
    assert "no block 'MultiplyCosnt'; did you mean MultiplyConst?" in done.err
    assert "no block" not in cli("show", tmp_path / "none.toml").err
    assert "is a folder" in cli("show", tmp_path).err


def test_set_of_a_block(cli):
    assert "--set is for flowgraph files, and Add is a block" in cli("show", "Add", "--set", "a=1").err


def test_a_folder_that_is_not_there(cli, head, tmp_path):
    out = tmp_path / "none" / "a.svg"
    assert cli("show", head, "-o", out) == (1, "", f"semwave: {out}: no such file or directory\n")


def test_composite_blocks_can_be_shown(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "cli_show_blocks", sys.modules[__name__])
    monkeypatch.setitem(registry.BLOCKS, "Loop", "cli_show_blocks:Loop")
    assert "gain = 2.0" in cli("show", "Loop").out


def test_a_flowgraph_that_is_a_block_is_drawn_between_its_ports(cli, tmp_path):
    inner = Flowgraph(name="inner").add(up=MultiplyConst(gain=2.0), loop=Loop())
    inner.connect("up > loop").expose(x="up.samples", y="loop.scaled")
    diagram = of_graph(inner)
    assert {(n.name, n.role) for n in diagram.nodes} >= {("[x]", "outside"), ("[y]", "outside"), ("loop", "plain")}
    ends = {(link.source, link.target, link.carries) for link in diagram.links}
    assert ends == {("[x]", "up", "complex64"), ("up", "loop", "complex64"), ("loop", "[y]", "complex64")}
