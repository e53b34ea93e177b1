"""Whoever else connects to a link: strangers, garbage, floods, wrong keys."""

import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zmq

from semwave.runtime import ConnectError, Flowgraph, LinkError, Run
from semwave.runtime import wirecode as w
from semwave.runtime.address import free_tcp
from semwave.runtime.keys import link_keys, write_pair

sys.path.insert(0, str(Path(__file__).parent))
from linked import Part, chain, items

pytestmark = pytest.mark.usefixtures("nothing_stays")


@pytest.fixture
def stranger() -> Iterator[zmq.Socket]:
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    yield socket
    socket.close()
    context.term()


def flowing(address: str, **options: object) -> tuple[Part, Part]:
    rx, tx = (Part(chain(None).link("b > c", address), part, **options) for part in ("rx", "tx"))
    while not rx.part_run.result()["k"].items_in:
        time.sleep(0.01)
    return rx, tx


def goes_on(part: Part, within_s: float = 10.0) -> bool:
    """Whether items still reach the sink; a busy machine may keep it waiting for a while."""
    before, deadline = part.part_run.result()["k"].items_in, time.monotonic() + within_s
    while part.part_run.result()["k"].items_in == before and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(part.part_run.result()["k"].items_in > before)


GOOD_HEADER = w.encode("data", session="guess", seq=0, dtype="<i8", shape=[1], start=0, tags=[], meta={})
GARBAGE = [
    [b""], [b"\0" * 100], [b"{}"], [b"x"] * 50, [GOOD_HEADER, b"\0" * 8], [GOOD_HEADER], [w.encode("bye", session="")],
    [w.encode("fail", session="guess", text="x")], [b"[" * 100_000], [w.encode("hello", session=None, edge=3, spec=[])],
    [w.encode("hello", session={}, edge="b.noisy > c.items", spec=None)], [w.encode("beat", sent=-1)],
    [w.encode("hello", session="x", edge="y", spec=None)],
]  # fmt: skip


def test_garbage_is_counted_and_harms_nothing(stranger: zmq.Socket) -> None:
    address = free_tcp()
    rx, tx = flowing(address)
    stranger.connect(address)
    for message in GARBAGE:
        stranger.send_multipart(message)
    rng = np.random.default_rng(1)
    for _ in range(200):
        stranger.send_multipart([rng.bytes(int(rng.integers(0, 300))) for _ in range(int(rng.integers(1, 4)))])
    time.sleep(0.5)  # for the garbage to arrive
    flows = goes_on(rx)
    rx.part_run.stop()
    assert flows
    assert any("not the peer's, or not sound" in text for text in rx.check().warnings)
    got = items(rx.graph.blocks["k"])[0]
    tx.check()
    whole = chain(len(got) // 2)
    whole.run(timeout_s=20)
    assert got == items(whole.blocks["k"])[0]


def test_what_a_stranger_says_to_a_receiver_that_waits(stranger: zmq.Socket) -> None:
    address = free_tcp()
    rx = Part(chain().link("b > c", address), "rx", deadline_s=1.5)
    stranger.connect(address)
    for message in GARBAGE:
        stranger.send_multipart(message)
    with pytest.raises(LinkError, match=r"part tx did not answer within 1\.5 s"):
        rx.check()


def test_another_version_is_refused_in_words(stranger: zmq.Socket) -> None:
    address = free_tcp()
    rx = Part(chain().link("b > c", address), "rx", deadline_s=3)
    stranger.connect(address)
    stranger.send(w.encode("hello", session="s", edge="b.noisy > c.items", spec={}).replace(b'"v":1', b'"v":7'))
    with pytest.raises(LinkError, match="part tx speaks version 7 of the protocol, rx 1"):
        rx.check()
    assert stranger.poll(2000)
    answer = w.decode(stranger.recv())
    assert (answer["kind"], answer["text"]) == ("refuse", str(rx.error))


def test_a_message_larger_than_allowed_is_never_taken_in(stranger: zmq.Socket) -> None:
    address = free_tcp()
    rx, tx = flowing(address, max_message_bytes=100_000)
    stranger.connect(address)
    stranger.send_multipart([GOOD_HEADER, bytes(5_000_000)])
    time.sleep(0.3)
    rx.part_run.stop()
    assert not rx.check().warnings  # the connection was closed before a message was made of it
    tx.check()


def test_a_sender_refuses_what_the_receiver_would() -> None:
    address = free_tcp()
    rx, tx = (Part(chain().link("b > c", address), part, max_message_bytes=300) for part in ("rx", "tx"))
    with pytest.raises(LinkError, match=r"b\.noisy > c\.items: a packet of 400 bytes; 300 are allowed"):
        tx.check()
    rx.ended()


# ---- keys ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("tx", "rx", "other"):
        write_pair(name, folder)
    return folder


def test_key_files(keys: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE((keys / "rx.key_secret").stat().st_mode) == 0o600
    assert "secret" not in (keys / "rx.key").read_text().replace("semwave", "").lower()
    ours = link_keys(keys / "rx.key", keys / "tx.key_secret")
    assert ours.public == link_keys(keys / "tx.key", keys / "rx.key").theirs
    assert ours.secret.decode() not in repr(ours)
    with pytest.raises(LinkError, match=r"rx\.key is there already"):
        write_pair("rx", keys)
    with pytest.raises(LinkError, match=r"cannot read the key file .*none\.key_secret: No such file"):
        link_keys(keys / "none.key", keys / "tx.key")
    (tmp_path / "x.key_secret").write_text("hello")
    with pytest.raises(LinkError, match=r"x\.key_secret is not a key file"):
        link_keys(tmp_path / "x.key", keys / "tx.key")


def secured(address: str, keys: Path, tx: str = "tx", rx: str = "rx") -> Flowgraph:
    return chain().link("b > c", address).secure(tx=keys / f"{tx}.key", rx=keys / f"{rx}.key")


def test_with_the_right_keys_packets_flow(keys: Path) -> None:
    address = free_tcp()
    parts = [Part(secured(address, keys), part) for part in ("rx", "tx")]
    for part in parts:
        part.check()
    whole = chain()
    whole.run(timeout_s=10)
    assert items(parts[0].graph.blocks["k"]) == items(whole.blocks["k"])


def test_keys_of_one_link(keys: Path) -> None:
    address = free_tcp()
    graphs = [
        chain().link("b > c", address, server_key=str(keys / "rx.key"), client_key=str(keys / "tx.key_secret"))
        for _ in range(2)
    ]
    for part in [Part(graph, name) for graph, name in zip(graphs, ("rx", "tx"), strict=True)]:
        part.check()


@pytest.mark.parametrize("wrong", ["client", "server", "none"])
def test_with_a_wrong_key_nothing_comes_and_both_say_so(keys: Path, wrong: str) -> None:
    address = free_tcp()
    rx = Part(secured(address, keys), "rx", deadline_s=1.0)
    if wrong == "none":
        graph = chain().link("b > c", address)
    else:
        graph = secured(address, keys, **{"tx" if wrong == "client" else "rx": "other"})
    tx = Part(graph, "tx", deadline_s=1.0)
    with pytest.raises(LinkError, match="part tx did not answer within 1 s: is it running, and are the keys the right"):
        rx.check()
    with pytest.raises(LinkError, match="part rx did not answer within 1 s"):
        tx.check()
    assert not rx.graph.blocks["k"].packets


def test_a_part_without_keys_is_named(keys: Path) -> None:
    graph = chain().link("b > c", free_tcp()).secure(tx=keys / "tx.key")
    with pytest.raises(ConnectError, match="security: part rx has no key file, and its peers' links are encrypted"):
        Run(graph, part="tx")


# ---- other machines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:5999", "tcp://*:5999", "tcp://192.0.2.1:5999", "tcp://[::]:5999"])
def test_listening_for_other_machines_must_be_asked_for(address: str) -> None:
    said = r"would listen beyond this machine; where that is meant, say allow_remote = true in \[links\]"
    with pytest.raises(ConnectError, match=said):
        Run(chain().link("b > c", address), part="rx")
    Run(chain().link("b > c", address), part="tx")  # connecting harms nobody
    Run(chain().link("b > c", address, allow_remote=True), part="rx")
    run = Run(chain().link("b > c", address), part="rx", allow_remote=True)
    assert "neither encrypted nor authenticated" in run.result().warnings[0]
    with pytest.raises(ConnectError, match="would publish beyond this machine"):
        Run(chain(), probes={"b": address})


def test_a_probe_that_nobody_or_a_slow_one_hears_holds_up_nothing() -> None:
    from parts import FrameNumbers, Pass

    from semwave.blocks.basic import VectorSink
    from semwave.runtime.sockets import subscriber

    address = free_tcp()
    context, socket = subscriber(address)
    fg = Flowgraph().add(a=FrameNumbers(count=3000), b=Pass(), k=VectorSink()).connect("a > b > k")
    result = fg.run(timeout_s=20, probes={"a": address})
    assert len(fg.blocks["k"].packets) == 3000
    heard = []
    while socket.poll(300):
        heard.append(w.decode(socket.recv_multipart()[0])["seq"])
    socket.close()
    context.term()
    assert heard == sorted(set(heard))
    assert len(heard) <= 3000
    assert all("probe a.items" in text for text in result.warnings)
