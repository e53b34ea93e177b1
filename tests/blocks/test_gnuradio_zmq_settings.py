"""What ZeroMQ sources and sinks refuse: addresses, settings, ports, types."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import zmq
from zmq_streams import WAIT_S, Uneven

from semwave.blocks.gnuradio_zmq import GrPduSink, GrPduSource, GrZmqSink, GrZmqSource
from semwave.runtime import (
    BlockError,
    ConnectError,
    Flowgraph,
    Frames,
    Out,
    Packet,
    ParameterError,
    Run,
    Source,
)


@pytest.mark.parametrize("cls", [GrZmqSource, GrZmqSink, GrPduSource, GrPduSink])
@pytest.mark.parametrize("address", ["tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://eth0:5555", "tcp://[::]:5555"])
def test_others_are_let_in_only_when_asked_for(cls: Any, address: str) -> None:
    with pytest.raises(ParameterError, match="lets other machines in: set allow_remote to true if that is meant"):
        cls(address=address, bind=True)
    cls(address=address, bind=True, allow_remote=True)


def test_others_are_talked_to_only_when_asked_for() -> None:
    with pytest.raises(ParameterError, match="is another machine: set allow_remote"):
        GrZmqSource(address="tcp://192.0.2.1:5555")
    for address in ("tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://localhost:1", "tcp://[::1]:1", "ipc:///run/x"):
        GrZmqSource(address=address)


@pytest.mark.parametrize(
    "address",
    ["", "5555", "127.0.0.1:5555", "udp://127.0.0.1:5", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://:5",
     "ipc://", "tcp://127.0.0.1:*", "inproc://x", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:٣"],
)  # fmt: skip
def test_odd_addresses(address: str) -> None:
    with pytest.raises(ParameterError, match=r"address must be like tcp://127\.0\.0\.1:5555"):
        GrZmqSource(address=address, allow_remote=True)


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (GrZmqSource, {"dtype": "nonsense"}, "dtype must be a numpy dtype"),
        (GrZmqSource, {"dtype": "object"}, "dtype must be a numpy dtype"),
        (GrZmqSource, {"pattern": "pair"}, "pattern must be 'push/pull', 'pub/sub' or 'req/rep'"),
        (GrZmqSource, {"key": "x"}, "key must be empty with push/pull"),
        (GrZmqSource, {"vlen": 0}, "vlen must be at least 1"),
        (GrZmqSink, {"key": "x", "pattern": "req/rep"}, "key must be empty with req/rep"),
        (GrZmqSink, {"full": "drop", "pattern": "req/rep"}, "full must be 'wait' with req/rep"),
    ],
)
def test_settings_that_do_not_go_together(cls: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        cls(**settings)


def test_pdus_of_types_that_pmts_lack_are_refused() -> None:
    class Bools(Source):
        """Frames of bool."""

        pdus = Out(Frames(np.bool_, ("item",)))

        def packets(self) -> Iterator[Packet]:
            return iter(())

    with pytest.raises(ConnectError, match=r"pdus must be frames \[item\] of integers"):
        Run(Flowgraph().add(a=Bools(), k=GrPduSink(address="tcp://127.0.0.1:*")).connect("a > k"))


def test_a_port_that_is_taken_is_named(plain: Any) -> None:
    _, address = plain(zmq.PUSH)
    graph = Flowgraph().add(a=Uneven(), k=GrZmqSink(address=address)).connect("a > k")
    with pytest.raises(BlockError, match=f"in k .*cannot bind {address}: Address already in use"):
        graph.run(timeout_s=WAIT_S)
