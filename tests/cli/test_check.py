"""``semwave check``: what travels on the edges, and every way in which a file can be wrong."""

import json
import re

import pytest

BITS = '{ use = "RandomBits", count = 8 }'
ZEROS = '{ use = "NullSource", count = 8 }'
SINK = '{ use = "VectorSink" }'


def test_prints_one_line_per_edge(cli, head):
    done = cli("check", head)
    assert done == (
        0,
        "bits.bits   > head.items  Stream[uint8]\nhead.first  > sink.items  Stream[uint8]\nok: 3 blocks, 2 edges\n",
        "",
    )


def test_json_has_blocks_and_edges(cli, head):
    found = json.loads(cli("check", head, "--json").out)
    assert found["ok"] is True
    assert found["error"] is None
    assert (found["file"], found["seed"]) == (str(head), 3)
    assert found["blocks"][1] == {"name": "head", "block": "Head", "heavy": False}
    assert found["edges"][0] == {
        "from": "bits.bits",
        "to": "head.items",
        "type": "Stream[uint8]",
        "kind": "Stream",
        "dtype": "uint8",
        "shape": [],
        "sample_rate": None,
    }


def test_set_reaches_blocks_and_params(cli, head):
    assert cli("check", head, "--set", "count=5", "--set", "bits.count=9").code == 0
    done = cli("check", head, "--set", "head.count=-5")
    assert "head (Head): count must be at least 0 items, not -5" in done.err


WRONG = {
    "unknown class": (["a > b"], {"a": '{ use = "RandomBit" }', "b": SINK}, r"did you mean RandomBits\?"),
    "unknown block": (["a > c"], {"a": BITS, "b": SINK}, r"in 'a > c': no block 'c'; there are a, b"),
    "unknown parameter": (
        ["a > b"],
        {"a": '{ use = "RandomBits", cuont = 8 }', "b": SINK},
        r"a \(RandomBits\): no parameter 'cuont'; it takes count \(did you mean count\?\)",
    ),
    "wrong type": (
        ["a > b"],
        {"a": '{ use = "RandomBits", count = "8" }', "b": SINK},
        r"a \(RandomBits\): count must be int or None, not '8'",
    ),
    "unknown port": (["a.bytes > b"], {"a": BITS, "b": SINK}, r"a \(RandomBits\): no port 'bytes'; it has bits"),
    "unconnected port": (
        ["a > sum.a", "sum > b"],
        {"a": ZEROS, "sum": '{ use = "Add" }', "b": SINK},
        r"not connected: input sum\.b \(Stream\[complex64\]\)",
    ),
    "loop": (
        ["a > sum.a", "sum > back > sum.b"],
        {"a": ZEROS, "sum": '{ use = "Add" }', "back": '{ use = "Copy" }'},
        r"the graph has a loop: (sum > back > sum|back > sum > back)",
    ),
    "dtype": (
        ["a > gain > b"],
        {"a": BITS, "gain": '{ use = "MultiplyConst" }', "b": SINK},
        r"a\.bits gives Stream\[uint8\], gain\.samples takes Stream\[complex64\]",
    ),
    "no such param": (
        ["a > b"],
        {"a": '{ use = "RandomBits", count = "$n" }', "b": SINK},
        r"a\.count = '\$n': no entry in \[params\] 'n'",
    ),
    "fed twice": (["a > b", "c > b"], {"a": BITS, "c": BITS, "b": SINK}, r"b\.items is already fed by a\.bits"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("command", ["check", "run", "show"])
def test_a_wrong_graph_is_refused_with_a_clear_message(cli, graph, command, case):
    chains, blocks, said = WRONG[case]
    file = graph(*chains, **blocks)
    done = cli(command, file)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"semwave: {file}: ")
    assert done.err.count("\n") == 1
    assert re.search(said, done.err)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("snr = ", "graph.toml is not TOML: Invalid value (at end of document)"),
        ("a = 1\nb b\n", "graph.toml is not TOML: Expected '=' after a key"),
        ("blokcs = 1\n", "no section 'blokcs'; a flowgraph has name"),
        ("seed = 1\n", "the graph has no blocks"),
    ],
)
def test_a_file_that_is_no_flowgraph(cli, tmp_path, text, said):
    file = tmp_path / "graph.toml"
    file.write_text(text)
    done = cli("check", file)
    assert done.code == 1
    assert said in done.err


def test_a_file_that_is_not_text(cli, tmp_path):
    file = tmp_path / "graph.toml"
    file.write_bytes(b"seed = 1 \xff")
    assert "graph.toml is not text: byte 9 is not UTF-8" in cli("check", file).err


def test_missing_file_and_folder(cli, tmp_path):
    assert f"semwave: no flowgraph file {tmp_path}/none.toml" in cli("check", tmp_path / "none.toml").err
    assert cli("check", tmp_path) == (1, "", f"semwave: {tmp_path} is a folder, not a flowgraph file\n")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("count", "cannot read --set 'count': write block.param=value"),
        ("=5", "cannot read --set '=5'"),
        ("head.=5", "cannot read --set 'head.=5'"),
        ("cuont=5", "no entry in [params] 'cuont'; there are count (did you mean count?)"),
        ("haed.count=5", "no block 'haed'; there are bits, head, sink (did you mean head?)"),
        ("head.cuont=5", "head (Head): no parameter 'cuont'; it takes count (did you mean count?)"),
        ("count=five", "head (Head): count must be int, not 'five'"),
    ],
)
def test_set_typos(cli, head, setting, said):
    done = cli("check", head, "--set", setting)
    assert done.code == 1
    assert said in done.err
    found = json.loads(cli("check", head, "--set", setting, "--json").out)
    assert found["ok"] is False
    assert said in found["error"]
