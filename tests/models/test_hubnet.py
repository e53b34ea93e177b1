"""Without a network the hub is asked once, and whatever names a model of it fails at once with what to do."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semwave.models import hubnet


class Server:
    """A host on the loopback interface that takes connections and answers ``answer``, or never."""

    def __init__(self, answer: bytes) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.calls, self._answer, self._open = 0, answer, list[socket.socket]()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                call, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            self._open.append(call)
            if self._answer:
                call.recv(65536)
                call.sendall(self._answer)

    def close(self) -> None:
        self._listener.close()
        for call in self._open:
            call.close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[bytes], Server]]:
    """Put a server in the hub's place, with an empty cache."""
    from huggingface_hub import constants

    servers: list[Server] = []

    def begin(answer: bytes = b"") -> Server:
        servers.append(Server(answer))
        monkeypatch.setattr(constants, "ENDPOINT", servers[-1].address)
        return servers[-1]

    for name in ("HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hubnet, "PATIENCE_S", 0.3)
    monkeypatch.setattr(hubnet, "_asked", {})
    yield begin
    for server in servers:
        server.close()


def captioner() -> Any:
    from semwave.models.text.hub import HubCaptioner

    return HubCaptioner("semwave-tests/none")


def segmenter() -> Any:
    from semwave.models.segment.hub import load

    return load("hub:semwave-tests/none")


def detector() -> Any:
    from semwave.bench.metrics.hub_detector import HubDetector

    return HubDetector("hub:semwave-tests/none")


def pipeline() -> Any:
    from semwave.models.generator.hub import load_pipeline

    return load_pipeline("semwave-tests/none")


def network() -> Any:
    from semwave.models.light.folders import find

    return find("hub:semwave-tests/none")


@pytest.mark.parametrize("load", [captioner, segmenter, detector, pipeline, network])
def test_a_hub_that_never_answers_is_asked_once(load: Callable[[], Any], hub: Callable[..., Server]) -> None:
    server = hub()
    with pytest.raises(OSError, match=r"hf download semwave-tests/none"):
        load()
    assert server.calls <= 2  # ours, and a look for a newer kind of file; it was six, waiting longer every time


def test_an_answer_of_any_kind_is_an_answer(hub: Callable[..., Server], tmp_path: Path) -> None:
    server = hub(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    assert hubnet.cache_only("owner/model") is False
    assert hubnet.cache_only("owner/other") is False
    assert server.calls == 1
    assert hubnet.cache_only(str(tmp_path)) is True


def test_no_host_at_all(monkeypatch: pytest.MonkeyPatch, hub: Callable[..., Server]) -> None:
    server = hub()
    server.close()
    assert hubnet.cache_only("owner/model") is True


def test_told_to_stay_offline(monkeypatch: pytest.MonkeyPatch, hub: Callable[..., Server]) -> None:
    server = hub()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hubnet.cache_only("owner/model") is True
    assert server.calls == 0
