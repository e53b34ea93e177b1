"""Run a receiver over a recording: one line a frame, CSV, pcap, annotations, a report, pictures.

  semwave replay capture.sigmf-meta --receiver ieee80211 --annotate --pcap frames.pcap --report report.html
  semwave replay out/transmitted.sigmf-meta --receiver semwave --out pictures

Frames that cannot be decoded are listed with the reason; the last line counts all. Ctrl-C keeps what was found."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semwave.commands import _options, _samples
from semwave.commands._interrupts import INTERRUPTED

if TYPE_CHECKING:
    from semwave.recording import Recording
    from semwave.replay.frame import Frame
    from semwave.replay.run import Replay

ORDER = 35


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    _samples.allow_negative(parser)
    _samples.add_recording(parser)
    parser.add_argument(
        "--receiver", choices=("ieee80211", "semwave", "gnuradio"), required=True,
        help="802.11a/g/n at 20 MS/s, semwave's own bursts, or GNU Radio's stock OFDM packets",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="options", action="append", default=[], metavar="NAME=VALUE",
        help="an option: a parameter of OfdmDemodulator (semwave); modulation, scramble, unit_power (gnuradio)",
    )  # fmt: skip
    where = parser.add_argument_group("where to listen")
    _samples.add_span(where)  # type: ignore[arg-type]
    where.add_argument(
        "--follow", type=float, nargs="?", const=5.0, metavar="S",
        help="go on while the recording is being written, until nothing has come for S seconds (default 5)",
    )  # fmt: skip
    where.add_argument("--channel", type=int, default=0, metavar="N", help="channel of a multi-channel recording")
    where.add_argument("--shift", type=_samples.hertz, default=0.0, metavar="HZ", help="move all frequencies by HZ")
    where.add_argument("--tune", type=_samples.hertz, metavar="HZ", help="bring this absolute frequency to the centre")
    where.add_argument(
        "--rate", type=_samples.hertz, metavar="HZ", help="resample to this rate for the receiver, instead of its own"
    )
    what = parser.add_argument_group("what to make of it")
    _options.add_json(what)  # type: ignore[arg-type]
    what.add_argument("--bytes", action="store_true", help="print the payloads too")
    what.add_argument("--csv", type=Path, metavar="FILE", help="write a table of the frames")
    what.add_argument("--pcap", type=Path, metavar="FILE", help="write 802.11 frames with radiotap headers")
    what.add_argument("--annotate", action="store_true", help="write the frames into the recording as annotations")
    what.add_argument("--report", type=Path, metavar="FILE", help="write one self-contained HTML file")
    what.add_argument("--out", type=Path, metavar="DIR", help="rebuild the pictures of semwave's link there")
    what.add_argument("--model", choices=("flow", "texture", "classical"), default="flow", help="decoder for --out")
    what.add_argument("--steps", type=int, default=1, metavar="N", help="sampling steps of the decoder for --out")


@_samples.user_errors
def execute(args: argparse.Namespace) -> int:
    """Open, run, write."""
    from semwave.replay.run import Replay, make_receiver

    _refuse_early(args)
    recording = _samples.open_for(args)
    receiver = make_receiver(args.receiver, args.rate, _parsed(args.options))
    replay = Replay(
        recording, receiver, span=_samples.span_of(recording, args), channel=args.channel, shift_hz=args.shift,
        tune_hz=args.tune, follow_s=args.follow,
    )  # fmt: skip
    if not 0 <= args.channel < recording.num_channels:
        raise ValueError(f"--channel must be 0 to {recording.num_channels - 1}, not {args.channel}")
    frames, stopped = _listen(replay, args)
    written = _write(replay, frames, args)
    for text in receiver.trouble():
        print(f"semwave: {text}", file=sys.stderr)
    _tell(replay, frames, written, args, stopped)
    return INTERRUPTED if stopped else 0


def _refuse_early(args: argparse.Namespace) -> None:
    """What does not go together, before any work."""
    if args.pcap and args.receiver != "ieee80211":
        raise ValueError(f"--pcap is for --receiver ieee80211, not {args.receiver}")
    if args.out and args.receiver != "semwave":
        raise ValueError(f"--out rebuilds pictures of --receiver semwave, not of {args.receiver}")
    if args.follow is not None and args.stop is not None:
        raise ValueError("--follow goes on behind the end that there is now, so leave --stop out")
    if args.follow is not None and not 0 < args.follow < float("inf"):
        raise ValueError(f"--follow must be a number of seconds above 0, not {args.follow:g}")
    if args.steps < 1:
        raise ValueError(f"--steps must be at least 1, not {args.steps}")
    for option in ("csv", "pcap", "report"):
        file = getattr(args, option)
        if file is not None and not file.absolute().parent.is_dir():
            raise ValueError(f"--{option} {file}: there is no folder {file.parent}")


def _parsed(pairs: list[str]) -> dict[str, Any]:
    import tomllib

    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"--set takes NAME=VALUE, not {pair!r}")
        try:
            found[name.strip()] = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            found[name.strip()] = text
    return found


def _listen(replay: "Replay", args: argparse.Namespace) -> "tuple[list[Frame], bool]":
    """All frames, printed as they come, and whether Ctrl-C ended it."""
    from semwave.replay import lines

    frames: list[Frame] = []

    def take(frame: "Frame") -> None:
        frames.append(frame)
        if args.json:
            return
        print(_cleared + lines.line(frame), flush=bool(_cleared))
        if args.bytes and frame.payload:
            print("\n".join(lines.hexdump(frame.payload)))

    with _samples.job(replay.stop - replay.start, "listening", replay.rate) as meter:
        _cleared = "\r\x1b[K" if _both_terminals() else ""
        if not args.json:
            print(_cleared + lines.HEAD)
        found = iter(replay)
        for frame in _until(found, meter, replay):
            take(frame)
    return frames, meter.stopping


def _until(found: Any, meter: _samples.Meter, replay: "Replay") -> Any:
    """Frames until the end or Ctrl-C; then those that the receiver still holds."""

    def moved(done: int) -> None:
        meter.done = done - replay.start
        if meter.stopping:
            raise _Stop

    replay._on_progress = moved
    replay.stopping = lambda: meter.stopping
    try:
        yield from found
    except _Stop:
        yield from replay.finish()


class _Stop(Exception):
    """Ctrl-C was heard between two pieces."""


def _both_terminals() -> bool:
    from semwave.commands._terminal import is_terminal

    return is_terminal(sys.stderr) and is_terminal(sys.stdout)


def _write(replay: "Replay", frames: "list[Frame]", args: argparse.Namespace) -> dict[str, Any]:
    """The files that were asked for; what was written, by option."""
    from semwave.runtime.errors import naming

    written: dict[str, Any] = {}
    if args.csv:
        from semwave.replay.lines import write_csv

        with naming(args.csv):
            write_csv(args.csv, frames, payload=args.bytes)
        written["csv"] = str(args.csv)
    if args.pcap:
        from semwave.replay.pcap import write_pcap

        with naming(args.pcap):
            write_pcap(args.pcap, frames)
        written["pcap"] = str(args.pcap)
    if args.annotate:
        from semwave.replay.annotate import annotate

        new, old = annotate(replay.recording, frames, args.receiver, (replay.start, replay.done))
        written["annotate"] = {"written": new, "replaced": old, "file": replay.recording.where}
    if args.out:
        written["out"] = _pictures(frames, args)
    if args.report:
        written["report"] = _report(replay.recording, frames, args, written.get("out", {}).get("pictures", []))
    return written


def _pictures(frames: "list[Frame]", args: argparse.Namespace) -> dict[str, Any]:
    from semwave.replay.pictures import PictureWriter

    writer = PictureWriter(args.out, model=args.model, steps=args.steps)
    folders = []
    with _samples.job(len(frames), "rebuilding pictures") as meter:
        for frame in frames:
            folder = writer.write(frame)
            if folder is not None:
                folders.append(str(folder))
            meter.done += 1
            if meter.stopping:
                break
    for text in writer.context.warnings:
        print(f"semwave: {text}", file=sys.stderr)
    return {"folder": str(args.out), "pictures": folders}


def _report(recording: "Recording", frames: "list[Frame]", args: argparse.Namespace, pictures: list[str]) -> str:
    from semwave.replay.report import write_report
    from semwave.runtime.errors import naming

    with naming(args.report):
        write_report(
            args.report, recording, frames, receiver=args.receiver, pictures=[Path(folder) for folder in pictures]
        )
    return str(args.report)


def _tell(
    replay: "Replay", frames: "list[Frame]", written: dict[str, Any], args: argparse.Namespace, stopped: bool
) -> None:
    """The last line, or all of it as JSON."""
    from semwave.replay.frame import statuses
    from semwave.replay.lines import total

    span = f"samples {replay.start} to {replay.done}"
    if args.json:
        from semwave.commands._json import emit

        told = [frame.as_dict(payload=args.bytes) for frame in frames]
        emit({
            "ok": not stopped, "error": "stopped by Ctrl-C" if stopped else None, "recording": replay.recording.where,
            "receiver": args.receiver, "start": replay.start, "stop": replay.done, "sample_rate": replay.rate,
            "receiver_rate": replay.receiver_rate, "shift_hz": replay.shift_hz, "frames": told,
            "statuses": statuses(frames), "written": written,
        })  # fmt: skip
        return
    print(f"{total(frames)}; {span}{' (stopped by Ctrl-C)' if stopped else ''}")
    for name, what in written.items():
        if name == "annotate":
            print(f"annotations: {what['written']} written, {what['replaced']} replaced, in {what['file']}")
        elif name == "out":
            print(f"pictures: {len(what['pictures'])} in {what['folder']}")
        else:
            print(f"{name}: {what}")
