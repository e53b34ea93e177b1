"""[place], [links], [security], [probes]: what they take and what they refuse."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parts import Numbers, Pass, Repeat, Sum

from semwave.blocks.basic import Copy, VectorSink
from semwave.runtime import Composite, ConnectError, Flowgraph, GraphFileError, In, Out, Stream
from semwave.runtime.graphfile import dumps, load

INTS = Stream(np.int64)


class Inside(Composite):
    """Two copies in a row."""

    items = In(INTS)
    copied = Out(INTS)

    def build(self, inner: Flowgraph) -> None:
        inner.add(a=Copy(), b=Copy()).connect("a > b").expose(items="a.items", copied="b.copied")


def graph() -> Flowgraph:
    fg = Flowgraph().add(a=Numbers(), inside=Inside(), c=Repeat(), k=VectorSink(), m=VectorSink())
    return fg.connect("a > inside > c > k", "a > m")


def layout(fg: Flowgraph) -> Any:
    return fg.placement.layout(fg.plan())


def test_a_composite_is_placed_whole_and_linked_by_its_name() -> None:
    fg = graph().place(tx=["a", "m"], rx=["inside", "c", "k"]).link("a > inside", "tcp://127.0.0.1:5551")
    found = layout(fg)
    assert found.where == {"a": "tx", "inside/a": "rx", "m": "tx", "inside/b": "rx", "c": "rx", "k": "rx"}
    assert list(found.crossing) == ["a.items > inside/a.items"]
    assert found.links["a.items > inside/a.items"].address == "tcp://127.0.0.1:5551"


PLACES = [
    ({"tx": ["a", "inside"], "rx": ["c"]}, r"place: m, k in no part; every block must be in one"),
    ({"tx": ["a", "inside", "c"], "rx": ["c", "k", "m"]}, r"place: c is in tx and rx"),
    ({"tx": ["a", "inside", "c", "c"], "rx": ["k", "m"]}, r"place: c is in tx, twice"),
    ({"tx": ["a", "inside", "inside/a"], "rx": ["c", "k", "m"]}, r"place: inside/a is in tx, twice"),
    ({"tx": ["a", "insid"], "rx": []}, r"place: part tx: no block 'insid'; there are .*"),
    ({"t x": ["a"]}, r"a part cannot be called 't x'"),
    ({"tx": "a"}, r"place: tx must be a list of blocks, not 'a'"),
]


@pytest.mark.parametrize(("parts", "said"), PLACES, ids=[p[1][:30] for p in PLACES])
def test_places_that_are_wrong(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ConnectError, match=said):
        graph().place(**parts).plan()


LINKS = [
    ({"a > k": "tcp://127.0.0.1:1"}, r"link a > k: no such edge between parts; there are a\.items > inside/a\.items"),
    ({"c > k": "tcp://127.0.0.1:1"}, r"link c > k: both ends are in part rx"),
    ({"a > inside": "udp://127.0.0.1:1"}, r"link a > inside: 'udp://127.0.0.1:1' is no address; write tcp://"),
    ({"a > inside": "tcp://127.0.0.1:99999"}, r"is no address"),
    ({"a > inside": "tcp://127.0.0.1:1", "a.items > inside": "tcp://127.0.0.1:2"}, r"has an address already"),
    ({"a > inside": "tcp://127.0.0.1:1", "a > m": "tcp://127.0.0.1:1"}, r"have one address, tcp://127\.0\.0\.1:1;"),
    ({"a > inside": {"adress": "x"}}, r"link a > inside: no option 'adress'; it takes address"),
    ({"a > inside": {"address": "tcp://127.0.0.1:1", "allow_remote": 1}}, r"allow_remote = 1 is not"),
    ({"a > inside": {"address": "tcp://127.0.0.1:1", "server_key": "x"}}, r"give server_key .* and client_key"),
]


@pytest.mark.parametrize(("links", "said"), LINKS, ids=[p[1][:30] for p in LINKS])
def test_links_that_are_wrong(links: dict[str, Any], said: str) -> None:
    fg = graph().place(tx=["a"], rx=["inside", "c", "k", "m"])

    def link() -> None:
        for edge, entry in links.items():
            fg.placement.link(edge, entry)
        fg.plan()

    with pytest.raises(ConnectError, match=said):
        link()


def test_links_and_keys_need_parts() -> None:
    for fg in (graph().link("a > m", "ipc:///tmp/x"), graph().secure(tx="x.key")):
        with pytest.raises(ConnectError, match=r"links and keys are for edges between parts: say in \[place\]"):
            fg.plan()
    with pytest.raises(ConnectError, match=r"security: no part 'tz'; there are tx, rx"):
        graph().place(tx=["a"], rx=["inside", "c", "k", "m"]).secure(tz="x.key").plan()


@pytest.mark.parametrize(
    ("port", "said"),
    [
        ("z", "no block 'z'"),
        ("a.x", "a has outputs items"),
        ("k", "k has outputs none"),
        ("s.difference", "nothing is connected to that output"),
    ],
)
def test_probes_that_are_wrong(port: str, said: str) -> None:
    fg = graph().add(s=Sum(), t=VectorSink()).connect("a > s.a", "a > s.b", "s.total > t")
    with pytest.raises(ConnectError, match=said):
        fg.probe(port, "tcp://127.0.0.1:5600").plan()


FILE = """
connect = ["bits > head > sink"]
[blocks]
bits = { use = "RandomBits" }
head = { use = "Head", count = 10 }
sink = { use = "VectorSink" }
[place]
tx = ["bits"]
rx = ["head", "sink"]
[links]
"bits > head" = { address = "tcp://127.0.0.1:5551", server_key = "rx.key", client_key = "tx.key_secret" }
[security]
tx = "tx.key"
[probes]
"head.first" = "tcp://127.0.0.1:5600"
"""


def test_a_file_says_all_of_it_and_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "graph.toml"
    file.write_text(FILE)
    fg = load(file)
    again = tmp_path / "again.toml"
    again.write_text(dumps(fg))
    for one in (fg, load(again)):
        assert one.placement.parts == {"tx": ["bits"], "rx": ["head", "sink"]}
        assert one.placement.links["bits > head"].server_key == str(tmp_path / "rx.key")
        assert one.placement.keys == {"tx": tmp_path / "tx.key"}
        assert one.placement.probes == {"head.first": "tcp://127.0.0.1:5600"}


WRONG_FILES = [
    ('tx = ["bits"]', 'tx = "bits"', r"place: tx must be a list of block names, not 'bits'"),
    ('"head.first" = "tcp://127.0.0.1:5600"', '"head.first" = 3', r"probes: head\.first must be a string, not 3"),
    ('tx = "tx.key"', "tx = 1", r"security: tx must be a string, not 1"),
    ("[links]\n", "[links]\nx = 3\n", r"links: 'x' must be an address or a table with one, not 3"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG_FILES)
def test_files_that_are_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "graph.toml"
    assert old in FILE
    file.write_text(FILE.replace(old, new))
    with pytest.raises(GraphFileError, match=said):
        load(file)


def test_a_file_extends_another(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(FILE.replace("[place]", "[params]\n[place]"))
    (tmp_path / "more.toml").write_text(
        'extends = "base.toml"\nname = "more"\nseed = 5\nconnect = ["head > other"]\n'
        '[blocks]\nother = { use = "VectorSink" }\nhead = { use = "Head", count = 3 }\n'
        '[place]\nrx = ["head", "sink", "other"]'
    )
    fg = load(tmp_path / "more.toml")
    assert (fg.name, fg.seed, list(fg.blocks)) == ("more", 5, ["bits", "head", "sink", "other"])
    assert fg.blocks["head"].count == 3
    assert fg.placement.parts["rx"] == ["head", "sink", "other"]
    (tmp_path / "base.toml").write_text('extends = "more.toml"')
    with pytest.raises(GraphFileError, match="extend each other more than 16 deep"):
        load(tmp_path / "more.toml")
    (tmp_path / "base.toml").write_text('extends = "gone.toml"')
    with pytest.raises(GraphFileError, match=r"extends = 'gone\.toml': no such flowgraph file"):
        load(tmp_path / "base.toml")


def test_a_probe_does_not_change_what_a_graph_does() -> None:
    def build() -> Flowgraph:
        fg = Flowgraph(chunk=10).add(a=Numbers(), b=Copy(), c=Pass(), k=VectorSink())
        return fg.connect("a > b > c > k")

    plain, probed = build(), build()
    plain.run(timeout_s=5)
    result = probed.run(timeout_s=5, probes={"b.copied": "ipc:///tmp/semwave-test-probe"})
    assert [p.data.tolist() for p in probed.blocks["k"].packets] == [p.data.tolist() for p in plain.blocks["k"].packets]
    assert not result.warnings
