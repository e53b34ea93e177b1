"""Show the packets that a probe publishes, one line each: number, dtype, shape, start, tags, meta.

Start the graph with 'semwave run FILE --probe block.port=ADDRESS', or name the probe in [probes]."""

import argparse
import time
from collections.abc import Iterator
from typing import Any

from semwave.commands import _options

ORDER = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("address", metavar="ADDRESS", help="such as tcp://127.0.0.1:5600")
    parser.add_argument("-n", "--count", type=_count, metavar="N", help="leave after so many packets")
    parser.add_argument("--timeout", type=_options.seconds, metavar="SECONDS", help="leave after so much silence")
    _options.add_json(parser, "print one JSON object a packet")


def execute(args: argparse.Namespace) -> int:
    """Listen and print."""
    from semwave.commands._json import emit
    from semwave.runtime.address import check_address
    from semwave.runtime.errors import UserError

    seen, missed, expected = 0, 0, None
    for header, size in packets(check_address(args.address, "probe"), args.timeout):
        missed += header["seq"] - expected if expected is not None and header["seq"] > expected else 0
        expected = header["seq"] + 1
        if args.json:
            emit({**{k: header.get(k) for k in SHOWN}, "bytes": size, "missed": missed})
        else:
            print(line(header, missed), flush=True)
        seen += 1
        if args.count is not None and seen >= args.count:
            break
    if not seen:
        raise UserError(f"nothing came from {args.address}: is a run publishing a probe there?")
    return 0


SHOWN = ("port", "seq", "dtype", "shape", "start", "tags", "meta", "dropped")


def packets(address: str, silence_s: float | None) -> Iterator[tuple[dict[str, Any], int]]:
    """Headers and sizes as they come; ends after ``silence_s`` without any."""
    from semwave.runtime import wirecode
    from semwave.runtime.sockets import subscriber

    context, socket = subscriber(address)
    try:
        last = time.monotonic()
        while silence_s is None or time.monotonic() - last < silence_s:
            if not socket.poll(100):
                continue
            header, *payload = socket.recv_multipart()
            last = time.monotonic()
            try:
                fields = wirecode.decode(header)
                wirecode.number(fields, "seq")
            except wirecode.WireError:
                continue
            yield fields, sum(map(len, payload))
    finally:
        socket.close(0)
        context.term()


def line(header: dict[str, Any], missed: int) -> str:
    """One packet for people."""
    from semwave.commands._terminal import shorten

    size = ",".join(map(str, header.get("shape") or ()))
    tags = ", ".join(f"{t[1]}@{t[0]}" for t in header.get("tags") or ())
    meta = ", ".join(f"{k}={v!r}" for k, v in (header.get("meta") or {}).items())
    text = f"{header['seq']:>6}  {header.get('dtype', '?')}[{size}]@{header.get('start')}"
    text += f"  tags: {shorten(tags, 60)}" if tags else ""
    text += f"  meta: {shorten(meta, 80)}" if meta else ""
    return text + (f"  ({missed} missed)" if missed else "")


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)
