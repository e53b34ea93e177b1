"""Addresses of links: which are local, where to listen, which are free."""

import ipaddress
import re
import socket
import sys
import tempfile
from pathlib import Path

from semwave.runtime.errors import ConnectError

TCP = re.compile(r"tcp://(?P<host>\[[^\]]+\]|[^\[\]:/]+):(?P<port>\d{1,5})")
IPC_LIMIT = 100  # characters of a path that every system takes


def check_address(address: object, what: str) -> str:
    """``address`` if it is one; raises ConnectError naming ``what`` it is for."""
    if isinstance(address, str):
        tcp = TCP.fullmatch(address)
        if tcp and 0 < int(tcp["port"]) < 1 << 16:
            return address
        if address.startswith("ipc://") and 6 < len(address) <= IPC_LIMIT + 6:
            return address
    raise ConnectError(f"{what}: {address!r} is no address; write tcp://127.0.0.1:5551 or ipc:///path/of/a/socket")


def is_local(address: str) -> bool:
    """Whether nobody beyond this machine can reach what listens at ``address``."""
    tcp = TCP.fullmatch(address)
    if tcp is None:
        return True
    host = tcp["host"].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def bindable(address: str) -> str:
    """``address`` with a number in place of a host's name, as listening needs; raises OSError."""
    tcp = TCP.fullmatch(address)
    if tcp is None or tcp["host"].startswith("[") or tcp["host"] == "*":
        return address
    return f"tcp://{socket.gethostbyname(tcp['host'])}:{tcp['port']}"


def free_tcp() -> str:
    """An address on this machine's loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


class FreeAddresses:
    """Addresses for the links of one machine, in a folder that only this user may enter; a context manager."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        if sys.platform != "win32":
            self._folder = tempfile.TemporaryDirectory(prefix="semwave-", ignore_cleanup_errors=True)

    def __enter__(self) -> "FreeAddresses":
        return self

    def __exit__(self, *error: object) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def next(self) -> str:
        """One that was not given out before."""
        self._count += 1
        if self._folder is not None:
            path = str(Path(self._folder.name) / str(self._count))
            if len(path) <= IPC_LIMIT:
                return f"ipc://{path}"
        return free_tcp()
