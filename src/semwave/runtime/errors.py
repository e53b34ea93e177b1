"""What can go wrong, on one screen.

FlowgraphError
├── ParameterError      a parameter's name, type or value
├── ConnectError        an edge, a port, a mismatch, a loop, something left unconnected
├── GraphFileError      a flowgraph file that cannot be read as one
├── PortError           what came over an edge is not what the port takes
├── BlockError          a block failed while it ran (the cause is chained)
└── LinkError           an edge between processes failed
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def naming(file: Path) -> Iterator[Path]:
    """An OSError from within names what was being written; where a disk is full, the system names nothing."""
    try:
        yield file
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(file)
        raise


class FlowgraphError(Exception):
    """Base of every error that semwave raises on purpose; its text is meant for the user."""


class ParameterError(FlowgraphError, ValueError):
    """A parameter has the wrong name, type or value."""

    def __init__(self, text: str, owner: str = "") -> None:
        self.text, self.owner = text, owner
        super().__init__(f"{owner}: {text}" if owner else text)


class ConnectError(FlowgraphError):
    """Two ports do not fit, a port is unknown or unconnected, or the graph has a loop."""


class GraphFileError(FlowgraphError):
    """A flowgraph file is missing, is not TOML, or says something that no flowgraph has."""


class PortError(FlowgraphError):
    """A packet does not have the dtype, rank, size or length that its port declares."""


class BlockError(FlowgraphError):
    """A block failed in one of its hooks; ``__cause__`` is the original exception."""


class LinkError(FlowgraphError):
    """An edge that crosses processes failed."""


class UserError(Exception):
    """Raise this in a block (or subclass it) when the message alone tells the user all: no traceback is needed."""
