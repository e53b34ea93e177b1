from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from parts import Pass

from semwave.blocks.basic import Add, Copy, Head, MultiplyConst, NullSource, RandomBits, VectorSink, VectorSource
from semwave.runtime import BlockError, ConnectError, Flowgraph, GraphFileError, ParameterError
from semwave.runtime.graphfile import dumps, find, load, parse_value

GOOD = """
name = "small"
seed = 7
chunk = 100
connect = ["source > scale > sink"]

[params]
gain = 2.0

[blocks]
source = { use = "VectorSource", values = [1, 2.5], dtype = "complex64" }
scale = { use = "MultiplyConst", gain = "$gain" }

[blocks.sink]
use = "VectorSink"
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.toml"
    file.write_text(GOOD)
    return file


def test_a_file_is_a_graph(good: Path) -> None:
    fg = load(good)
    assert (fg.name, fg.seed, fg.chunk) == ("small", 7, 100)
    fg.run(timeout_s=20)
    assert fg.blocks["sink"].data.tolist() == [2, 5]  # type: ignore[attr-defined]


def test_defaults(tmp_path: Path) -> None:
    file = tmp_path / "plain.toml"
    file.write_text('connect = "a > b"\n[blocks]\na = { use = "RandomBits", count = 3 }\nb = { use = "NullSink" }\n')
    fg = load(str(file))
    assert (fg.name, fg.seed, fg.chunk) == ("plain", 0, 16384)
    assert fg.run(timeout_s=20)["b"].items_in == 3


def test_overrides(good: Path) -> None:
    def gain(*overrides: str) -> float:
        return load(good, overrides).blocks["scale"].parameters()["gain"]

    assert gain() == 2.0
    assert gain("gain=3") == 3.0
    assert gain("scale.gain = 1e-3") == 1e-3
    assert gain("gain=3", "scale.gain=4") == 4.0
    assert load(good, ["source.dtype=int16"]).blocks["source"].parameters()["dtype"] == "int16"
    assert load(good, ["source.values=[7]"]).blocks["source"].parameters()["values"] == (7.0,)
    assert load(good, seed=11).seed == 11


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("gain", "cannot read --set 'gain': write block.param=value, or param=value"),
        ("=3", "cannot read --set '=3'"),
        ("scale.=3", "cannot read --set 'scale.=3'"),
        ("gian=3", r"good.toml: --set gian=3: no entry in \[params\] 'gian'; there are gain \(did you mean gain\?\)"),
        (
            "sclae.gain=3",
            r"--set sclae.gain=3: no block 'sclae'; there are .* \(did you mean scale\?\)",
        ),
        ("scale.gian=3", r"good.toml: scale \(MultiplyConst\): no parameter 'gian'; it takes gain"),
        ("scale.gain=high", r"good.toml: scale \(MultiplyConst\): gain must be float, not 'high'"),
    ],
)
def test_overrides_that_are_refused(good: Path, override: str, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        load(good, [override])


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("3", 3),
        ("1e6", 1e6),
        ("-0.5", -0.5),
        ("true", True),
        ("on", "on"),
        ("12:30", "12:30"),
        ("abc def", "abc def"),
        ('"3"', "3"),
        ("[1, 2]", [1, 2]),
        ("inf", float("inf")),
        ("", ""),
        ("a = 3", "a = 3"),
    ],
)
def test_values_of_the_command_line(raw: str, value: object) -> None:
    found = parse_value(raw)
    assert found == value
    assert type(found) is type(value)


BAD = [
    ("seed = 1\nx = ,", GraphFileError, r"bad.toml is not TOML: .*line 2"),
    ("conect = []", GraphFileError, r"bad.toml: no section 'conect'; a flowgraph has .*\(did you mean connect\?\)"),
    ("params = 3", GraphFileError, r"bad.toml: params must be a table"),
    ("blocks = []", GraphFileError, r"bad.toml: blocks must be a table"),
    ("ports = 'x'", GraphFileError, r"bad.toml: ports must be a table"),
    ("name = 3", GraphFileError, r"bad.toml: name must be a string"),
    ("connect = 3", GraphFileError, r"bad.toml: connect must be a list of strings such as 'a > b.port > c'"),
    ("connect = ['a > b', 3]", GraphFileError, r"bad.toml: connect must be a list of strings"),
    ("seed = 'x'", ParameterError, r"bad.toml: seed must be an int from 0 to 2\*\*63 - 1, not 'x'"),
    ("chunk = 0", ParameterError, r"bad.toml: chunk must be an int of at least 1, not 0"),
    ("blocks.a = 3", GraphFileError, r"bad.toml: a must be a table with use = \"BlockClass\", not 3"),
    ("blocks.a = { count = 3 }", GraphFileError, r"bad.toml: a must be a table with use = \"BlockClass\""),
    ("blocks.a = { use = 3 }", GraphFileError, r"bad.toml: a must be a table with use"),
    ("blocks.a = { use = 'Cpoy' }", ConnectError, r"bad.toml: a: no block class 'Cpoy'; .*\(did you mean Copy\?\)"),
    ("blocks.a = { use = 'Head', cuont = 1 }", ParameterError, r"bad.toml: a \(Head\): no parameter 'cuont'; it takes"),
    ("blocks.a = { use = 'Head', count = -1 }", ParameterError, r"a \(Head\): count must be at least 0 items, not -1"),
    ("blocks.a = { use = 'Head', count = '$n' }", ParameterError, r"a.count = '\$n': no entry in \[params\] 'n'"),
    ("blocks.a = { use = 'none.toml' }", GraphFileError, r"bad.toml: a: no flowgraph file .*none.toml"),
    ("blocks.'a b' = { use = 'Copy' }", ConnectError, r"bad.toml: a block cannot be called 'a b'"),
    ("params.x = 1\nblocks.a = { use = 'Copy' }", ParameterError, r"\[params\] has x, which no block uses"),
    ("connect = ['a > b']\nblocks.a = { use = 'Copy' }", ConnectError, r"bad.toml: in 'a > b': no block 'b'"),
    ("ports.p = 'q.r'\nblocks.a = { use = 'Copy' }", ConnectError, r"bad.toml: in 'q.r': no block 'q'; there are a"),
    ("ports.p = 3", GraphFileError, r"bad.toml: port p must be 'block.port' or a list of these, not 3"),
    ("ports.p = ['a.b', 3]", GraphFileError, r"bad.toml: port p must be 'block.port' or a list of these"),
]


@pytest.mark.parametrize(("text", "kind", "message"), BAD)
def test_a_bad_file_names_itself_and_the_mistake(
    tmp_path: Path, text: str, kind: type[Exception], message: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(kind, match=message) as caught:
        load(file)
    assert type(caught.value) is kind
    assert str(file) in str(caught.value)


def test_required_parameters_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import parts

    from semwave.runtime import registry

    class Needs(Pass):
        path: str

        def check(self) -> None:
            if self.path == "crash":
                raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(parts, "Needs", Needs, raising=False)
    monkeypatch.setitem(registry.BLOCKS, "Needs", "parts:Needs")
    file = tmp_path / "needs.toml"
    file.write_text("blocks.a = { use = 'Needs' }")
    with pytest.raises(ParameterError, match=r"a \(Needs\): path is missing; it must be str"):
        load(file)
    file.write_text("blocks.a = { use = 'Needs', path = 'crash' }")
    with pytest.raises(BlockError, match=r"in a \(Needs\): ZeroDivisionError\('division by zero'\)"):
        load(file)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(GraphFileError, match=r"no flowgraph file .*missing.toml; shipped are"):
        load(tmp_path / "missing.toml")
    with pytest.raises(GraphFileError, match=r"is a folder, not a flowgraph file"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(GraphFileError, match=r"latin.toml is not text: byte 8 is not UTF-8"):
        load(tmp_path / "latin.toml")


def test_shipped_flowgraphs_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = sorted(Path(str(files("semwave.flowgraphs"))).glob("*.toml"))
    if not shipped:
        pytest.skip("no flowgraph is shipped yet")
    monkeypatch.chdir(tmp_path)
    for file in shipped:
        for name in (file.stem, file.name, f"flowgraphs/{file.name}", str(file)):
            assert find(name).samefile(file)
    (tmp_path / shipped[0].name).write_text(GOOD)
    assert find(shipped[0].name) == Path(shipped[0].name), "a file at hand comes first"
    with pytest.raises(GraphFileError, match="no flowgraph file elsewhere/"):
        find(f"elsewhere/{shipped[0].name}")


INNER = """
connect = ["one > two"]
params.gain = 1.0
[blocks]
one = { use = "MultiplyConst", gain = "$gain" }
two = { use = "Copy" }
[ports]
x = "one.samples"
y = "two.copied"
"""


@pytest.mark.parametrize(
    ("inner", "use", "kind", "text"),
    [
        (INNER, "gian = 1.0", ParameterError, r"outer.toml: in \(inner.toml\): no parameter 'gian'; it takes gain"),
        (INNER, "gain = 'x'", ParameterError, r"in \(inner.toml\): one \(MultiplyConst\): gain must be float, not 'x'"),
        ("blocks.a = { use = 'Copy' }", "", GraphFileError, r"inner.toml has no \[ports\], so it cannot be used as a"),
        ("blocks = 3", "", GraphFileError, r"inner.toml: blocks must be a table"),
        (INNER.replace("Copy", "Cpoy"), "", ConnectError, r"in \(inner.toml\): two: no block class 'Cpoy'"),
        ("ports.p = 'in.x'\nblocks.in = { use = 'outer.toml' }", "", GraphFileError, r"nested more than 16 deep"),
    ],
)
def test_mistakes_in_a_file_in_a_file(tmp_path: Path, inner: str, use: str, kind: type[Exception], text: str) -> None:
    (tmp_path / "inner.toml").write_text(inner)
    outer = tmp_path / "outer.toml"
    outer.write_text(f"ports.x = 'in.x'\n[blocks.in]\nuse = 'inner.toml'\n{use}\n")
    with pytest.raises(kind, match=text):
        load(outer)


# ---- writing ------------------------------------------------------------------------------------------------


def test_what_is_written_reads_as_the_same_graph(tmp_path: Path) -> None:
    fg = Flowgraph(seed=2**63 - 1, chunk=3, name='odd "name" \\ \n\t\x7f ü')
    fg.add(
        {"a-b_2": VectorSource(values=(1.0, 1e22, -0.0, float("inf"), 1e-300), dtype="complex64", repeat=2)},
        bits=RandomBits(),
        m=MultiplyConst(gain=0.1),
        sum=Add(),
        k=VectorSink(),
        n=Head(count=10**18),
        k2=VectorSink(),
    )
    fg.add({"ünïcode": Copy(), "1": NullSource(count=None, dtype="uint8")})
    fg.connect("a-b_2 > m > sum.a", "m > sum.b", "sum > k", "bits > n > ünïcode > k2")
    file = tmp_path / "out.toml"
    file.write_text(dumps(fg), encoding="utf-8")
    twin = load(file)
    assert (twin.name, twin.seed, twin.chunk) == (fg.name, fg.seed, fg.chunk)
    assert twin.edges == fg.edges
    assert list(twin.blocks) == list(fg.blocks)
    for name, block in fg.blocks.items():
        assert type(twin.blocks[name]) is type(block)
        assert twin.blocks[name].parameters() == block.parameters()
    assert dumps(twin) == dumps(fg)


def test_exposed_ports_are_written(tmp_path: Path) -> None:
    fg = Flowgraph().add(a=Copy(), b=Copy()).expose(x=["a.items", "b.items"], y="a.copied")
    file = tmp_path / "out.toml"
    file.write_text(dumps(fg))
    assert load(file).exposed == fg.exposed


def test_what_toml_does_not_have_is_refused_or_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import parts

    from semwave.runtime import registry

    class Odd(Pass):
        text: str = ""
        count: int | None = 3
        free: Any = None

    monkeypatch.setattr(parts, "Odd", Odd, raising=False)
    monkeypatch.setitem(registry.BLOCKS, "Odd", "parts:Odd")
    with pytest.raises(GraphFileError, match=r"o.count = None cannot be written in a file"):
        dumps(Flowgraph().add(o=Odd(count=None)))
    with pytest.raises(GraphFileError, match=r"o.free = \[1j\] cannot be written in a file"):
        dumps(Flowgraph().add(o=Odd(free=[1j])))
    file = tmp_path / "odd.toml"
    for text in ("$gain", "$$", "$", "plain", 'quo"te', "nul\0"):
        file.write_text(dumps(Flowgraph().add(o=Odd(text=text))))
        assert load(file).blocks["o"].parameters()["text"] == text


def test_only_registered_blocks_can_be_written() -> None:
    with pytest.raises(GraphFileError, match="p: Pass is not a registered block, so a file cannot name it"):
        dumps(Flowgraph().add(p=Pass()))

    class Copy(Pass):
        """Not the one that is registered."""

    with pytest.raises(GraphFileError, match="p: Copy is not a registered block"):
        dumps(Flowgraph().add(p=Copy()))
