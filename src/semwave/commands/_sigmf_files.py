"""``semwave sigmf`` verbs that write recordings: convert, crop, concat, recover."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semwave.commands import _options, _samples
from semwave.commands._interrupts import INTERRUPTED

if TYPE_CHECKING:
    from semwave.recording import Recording
    from semwave.recording.rewrite import Change

Verb = tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar="Y", required=True, help="name of the pair to write")
    parser.add_argument("--force", action="store_true", help="overwrite Y if it exists")
    _options.add_json(parser)


def _convert_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.allow_negative(parser)
    _samples.add_recording(parser)
    _target(parser)
    _samples.add_span(parser)
    parser.add_argument("--datatype", metavar="TYPE", help="sample type to write, such as ci16_le, cf32_le, ci8")
    parser.add_argument("--rate", type=_samples.hertz, metavar="HZ", help="resample to this rate")
    parser.add_argument("--shift", type=_samples.hertz, default=0.0, metavar="HZ", help="move all frequencies by HZ")
    parser.add_argument("--gain", type=float, default=0.0, metavar="DB", help="scale the samples")
    parser.add_argument("--channel", type=int, metavar="N", help="take one channel only")


def _convert(args: argparse.Namespace) -> int:
    from semwave.recording import RecordingError
    from semwave.recording.datatypes import parse_datatype
    from semwave.recording.rewrite import Change

    recording = _samples.open_for(args)
    kind = args.datatype
    if kind is not None:
        parse_datatype(kind)
    elif args.shift and not recording.datatype.is_complex:
        kind = "cf32_le"
    if args.channel is not None and not 0 <= args.channel < recording.num_channels:
        raise RecordingError(f"--channel must be 0 to {recording.num_channels - 1}, not {args.channel}")
    change = Change(kind, args.rate, args.shift, 10 ** (args.gain / 20), args.channel)
    return _rewrite([recording], [_samples.span_of(recording, args)], change, args)


def _crop_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser)
    _target(parser)
    _samples.add_span(parser)
    parser.add_argument("--annotation", type=int, metavar="N", help="the samples of annotation N ('annotations' lists)")
    parser.add_argument("--capture", type=int, metavar="N", help="the samples of capture N")
    parser.add_argument("--margin", metavar="POS", default="0", help="samples or time to take on both sides as well")


def _crop(args: argparse.Namespace) -> int:
    from semwave.recording import RecordingError

    recording = _samples.open_for(args)
    chosen = [args.annotation is not None, args.capture is not None, args.start is not None or args.stop is not None]
    if sum(chosen) != 1:
        raise RecordingError("crop takes --start and --stop, or --annotation, or --capture")
    if chosen[2]:
        start, stop = _samples.span_of(recording, args)
    else:
        word, rows = ("annotation", recording.annotations) if chosen[0] else ("capture", recording.captures)
        number = args.annotation if chosen[0] else args.capture
        if not 0 <= number < len(rows):
            raise RecordingError(f"--{word} must be 0 to {len(rows) - 1}, not {number}")
        start, stop = recording.span(rows[number])
    margin = recording.position(_samples.position(args.margin))  # type: ignore[arg-type]
    if margin < 0:
        raise RecordingError(f"--margin must be 0 or more, not {args.margin}")
    return _rewrite([recording], [(max(0, start - margin), min(recording.sample_count, stop + margin))], None, args)


def _concat_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser, many=True)
    _target(parser)
    parser.add_argument("--datatype", metavar="TYPE", help="sample type to write; else that of the first")


def _concat(args: argparse.Namespace) -> int:
    from semwave.recording.rewrite import Change

    recordings = [_samples.open_for(args, path) for path in args.recording]
    return _rewrite(recordings, [(0, r.sample_count) for r in recordings], Change(args.datatype), args)


def _rewrite(
    recordings: "list[Recording]", spans: list[tuple[int, int]], change: "Change | None", args: argparse.Namespace
) -> int:
    from semwave.commands._json import emit
    from semwave.recording.rewrite import rewrite

    _refuse_own(recordings, args.output)
    total = sum(stop - start for start, stop in spans)
    with _samples.job(total, "writing", recordings[0].sample_rate) as meter:

        def moved(done: int) -> bool:
            meter.done = done
            return meter.stopping

        done = rewrite(recordings, args.output, spans, change, force=args.force, on_progress=moved)
    facts: dict[str, Any] = {
        "file": str(done.path), "samples": done.samples, "clipped": done.clipped, "annotations": done.annotations,
        "annotations_left_out": done.left_out,
    }  # fmt: skip
    if args.json:
        emit({"ok": done.complete, "error": None if done.complete else "stopped by Ctrl-C", **facts})
    else:
        left = f" ({done.left_out} outside left out)" if done.left_out else ""
        clipped = f", {done.clipped} components clipped" if done.clipped else ""
        print(f"{done.path}: {done.samples} samples, {done.annotations} annotations{left}{clipped}")
    return 0 if done.complete else INTERRUPTED


def _refuse_own(recordings: "list[Recording]", target: Path) -> None:
    """Writing over what is being read loses it."""
    from semwave.recording import RecordingError
    from semwave.recording.locate import DATA
    from semwave.recording.pair import base_of, beside

    data = beside(base_of(target), DATA)
    if any(part.data.path.resolve() == data.resolve() for r in recordings for part in r.parts):
        raise RecordingError(f"{data} is what is being read; give another name with -o")


def _recover_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recording", metavar="X", help="a recording that was never closed")
    _options.add_json(parser)


def _recover(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.recording import recover

    found = recover(args.recording)
    if args.json:
        told = {"samples": found.samples, "trimmed_bytes": found.trimmed_bytes, "recordings": list(found.recordings)}
        emit({"ok": True, "error": None, **told})
    else:
        if not found.recordings:
            print("removed a part in which nothing had been recorded; all others are whole")
            return 0
        cut = f", {found.trimmed_bytes} bytes of a cut sample dropped" if found.trimmed_bytes else ""
        print(f"recovered {', '.join(found.recordings)}: {found.samples} samples{cut}")
    return 0


VERBS: dict[str, Verb] = {
    "convert": ("write with another datatype, rate or centre", _convert_arguments, _convert),
    "crop": ("write a part: by sample, time, annotation or capture", _crop_arguments, _crop),
    "concat": ("write several recordings one after the other", _concat_arguments, _concat),
    "recover": ("put together a recording that was never closed", _recover_arguments, _recover),
}
