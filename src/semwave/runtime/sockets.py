"""The sockets of links and probes: how they are opened, who may connect. The only module that imports ZeroMQ."""

from typing import TYPE_CHECKING, Any

from semwave.runtime.address import bindable
from semwave.runtime.errors import LinkError
from semwave.runtime.inlet import Inlet
from semwave.runtime.keys import LinkKeys

if TYPE_CHECKING:
    from semwave.runtime.link import Line
    from semwave.runtime.tap import Tap

LINGER_MS = 1000
WAITING = 64  # messages that libzmq holds for us; what is allowed to come is bounded by credits
ZAP = "inproc://zeromq.zap.01"  # where libzmq asks who may connect (RFC 27)


class Guard:
    """Answers libzmq's question who may connect: those whose public key a line expects."""

    def __init__(self, zmq: Any, context: Any, lines: "list[Line]") -> None:
        self.socket: Any = None
        self.allowed = {
            str(n).encode(): zmq.utils.z85.decode(line.keys.theirs)
            for n, line in enumerate(lines)
            if line.keys is not None and isinstance(line.end, Inlet)
        }
        if self.allowed:
            self.socket = context.socket(zmq.REP)
            self.socket.bind(ZAP)

    def answer(self) -> None:
        """One question."""
        version, request, domain, _, _, mechanism, *credentials = self.socket.recv_multipart()
        known = mechanism == b"CURVE" and credentials == [self.allowed.get(domain)]
        status = (b"200", b"OK") if known else (b"400", b"unknown key")
        self.socket.send_multipart([version, request, *status, b"", b""])

    def close(self) -> None:
        """No more answers."""
        if self.socket is not None:
            self.socket.close(0)


def load() -> Any:
    try:
        import zmq
        import zmq.utils.z85
    except ImportError as error:
        raise LinkError("links between parts need pyzmq: pip install pyzmq") from error
    return zmq


def new_keys() -> tuple[str, str]:
    """A public and a secret key, as 40 characters each."""
    public, secret = load().curve_keypair()
    return public.decode(), secret.decode()


def subscriber(address: str, max_bytes: int = 1 << 28) -> tuple[Any, Any]:
    """A context and a socket that hears what a probe publishes at ``address``; the caller closes both."""
    zmq = load()
    context = zmq.Context()
    made = context.socket(zmq.SUB)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.MAXMSGSIZE, max_bytes)
    made.setsockopt(zmq.SUBSCRIBE, b"")
    made.setsockopt(zmq.IPV6, int("[" in address))
    try:
        made.connect(address)
    except zmq.ZMQError as error:
        made.close()
        context.term()
        raise LinkError(f"cannot connect to {address}: {_why(zmq, error)}") from error
    return context, made


def read(zmq: Any, source: Any) -> list[Any]:
    """One message; of one with too many frames only the first few are kept."""
    frames = [source.recv(zmq.DONTWAIT, copy=False)]
    while frames[-1].more:
        frames.append(source.recv(zmq.DONTWAIT, copy=False))
        del frames[4:-1]
    return frames


def open_line(zmq: Any, context: Any, line: "Line", number: int, max_bytes: int) -> Any:
    """The socket of a line, listening or connecting."""
    facts, listens = line.end.end.facts, isinstance(line.end, Inlet)
    made = context.socket(zmq.ROUTER if listens else zmq.DEALER)
    made.setsockopt(zmq.LINGER, LINGER_MS)
    made.setsockopt(zmq.MAXMSGSIZE, max_bytes)
    made.setsockopt(zmq.RCVHWM, WAITING)
    made.setsockopt(zmq.RECONNECT_IVL, 20)
    made.setsockopt(zmq.RECONNECT_IVL_MAX, 500)
    made.setsockopt(zmq.HEARTBEAT_IVL, round(1000 * facts.beat_s))
    made.setsockopt(zmq.HEARTBEAT_TIMEOUT, round(500 * facts.deadline_s))
    made.setsockopt(zmq.HANDSHAKE_IVL, round(1000 * facts.deadline_s))
    made.setsockopt(zmq.IPV6, int("[" in facts.address))
    if line.keys is not None:
        _secure(made, line.keys, number if listens else None)
    try:
        if listens:
            made.bind(bindable(facts.address))
        else:
            made.connect(facts.address)
    except (zmq.ZMQError, OSError) as error:
        made.close(0)
        raise LinkError(f"{facts}: cannot {'listen' if listens else 'connect'}: {_why(zmq, error)}") from error
    return made


def _why(zmq: Any, error: OSError) -> str:
    """The reason alone; pyzmq puts the address behind it."""
    return str(zmq.strerror(error.errno)) if error.errno else str(error)


def _secure(made: Any, keys: LinkKeys, domain: int | None) -> None:
    made.curve_publickey, made.curve_secretkey = keys.public, keys.secret
    if domain is None:
        made.curve_serverkey = keys.theirs
    else:
        made.curve_server = True
        made.zap_domain = str(domain).encode()


def open_tap(zmq: Any, context: Any, tap: "Tap") -> Any:
    made = context.socket(zmq.PUB)
    made.setsockopt(zmq.LINGER, 200)
    made.setsockopt(zmq.SNDHWM, tap.depth)
    made.setsockopt(zmq.IPV6, int("[" in tap.address))
    try:
        made.bind(bindable(tap.address))
    except (zmq.ZMQError, OSError) as error:
        made.close(0)
        raise LinkError(f"probe {tap.port} ({tap.address}): cannot listen: {_why(zmq, error)}") from error
    return made
