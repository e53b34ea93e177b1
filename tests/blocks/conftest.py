"""Plain ZeroMQ sockets for the tests of blocks."""

from collections.abc import Iterator
from typing import Any

import pytest
import zmq
from zmq_streams import WAIT_S


@pytest.fixture
def plain() -> Iterator[Any]:
    """A maker of plain sockets on a free port: ``socket, address = plain(zmq.PUSH)``."""
    context = zmq.Context()

    def make(kind: int) -> tuple[Any, str]:
        socket = context.socket(kind)
        socket.rcvtimeo = socket.sndtimeo = int(WAIT_S * 1000)
        return socket, f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}"

    yield make
    context.destroy(linger=0)
