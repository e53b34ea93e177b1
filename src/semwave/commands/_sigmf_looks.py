"""``semwave sigmf`` verbs that look at recordings: info, validate, hash, annotations, spectrogram."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from semwave.commands import _options, _samples
from semwave.commands._interrupts import INTERRUPTED

Verb = tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]


def _info_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser)
    _options.add_json(parser)
    parser.add_argument("--full", action="store_true", help="levels from all samples, not from spread blocks")


def _info(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.commands._terminal import table

    recording = _samples.open_for(args)
    summary = recording.summary(full=args.full)
    if args.json:
        captures = [
            {"start": c.start, "count": c.count, "frequency_hz": c.frequency, "datetime": c.datetime, "lost": c.gap}
            for c in recording.captures
        ]
        emit({"ok": True, "error": None, **summary.as_dict(), "capture_list": captures})
        return 0
    print("\n".join(table(summary.rows())))
    if len(recording.captures) > 1:
        rows = [("capture", "from", "samples", "centre Hz", "start", "lost")]
        for c in recording.captures[:20]:
            centre = "" if c.frequency is None else f"{c.frequency:.12g}"
            rows.append((str(c.number), str(c.start), str(c.count), centre, c.datetime or "", str(c.gap or "")))
        print("\n".join(table(rows, right=(0, 1, 2, 3, 5))))
        if len(recording.captures) > 20:
            print(f"and {len(recording.captures) - 20} more captures (--json has all)")
    return 0


# ---- validate --------------------------------------------------------------------------------------------------------


def _validate_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser, many=True)
    _options.add_json(parser)
    parser.add_argument("--hash", action="store_true", help="check core:sha512 too (reads all data again)")
    parser.add_argument("--metadata", action="store_true", help="look at the metadata only, not at the samples")


def _validate(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.recording import RecordingError

    results, broken, stopped = [], 0, False
    for path in args.recording:
        unhashed = False
        try:
            findings, stopped, unhashed = _findings(path, args)
        except RecordingError as error:
            findings, stopped = [{"what": "unreadable", "text": str(error)}], False
        results.append({"recording": path, "findings": findings})
        broken += bool(findings)
        if not args.json:
            _print_findings(path, findings, unhashed)
        if stopped:
            break
    if args.json:
        emit({"ok": not broken and not stopped, "error": None, "recordings": results, "stopped": stopped})
    return INTERRUPTED if stopped else int(broken > 0)


def _findings(path: str, args: argparse.Namespace) -> tuple[list[dict[str, str]], bool, bool]:
    """What was found, whether Ctrl-C was heard, and whether a hash is stated that was not looked at."""
    from semwave.recording import open_recording
    from semwave.recording.findings import check

    described = {"datatype": args.datatype_in, "sample_rate": args.sample_rate} if args.datatype_in else {}
    recording = open_recording(path, args.name, warn=lambda text: None, **described)
    with _samples.job(recording.sample_count, "checking", recording.sample_rate) as meter:

        def moved(done: int) -> bool:
            meter.done = done
            return meter.stopping

        found = check(recording, hash_too=args.hash, samples=not args.metadata, on_progress=moved)
    unhashed = not args.hash and any("core:sha512" in part.metadata["global"] for part in recording.parts)
    return [{"what": f.what, "text": f.text} for f in found], meter.stopping, unhashed


def _print_findings(path: str, findings: list[dict[str, str]], unhashed: bool) -> None:
    from semwave.commands._terminal import paint

    if not findings:
        print(f"{path}: {paint('ok', 'green', sys.stdout)}{', hash not checked (--hash)' * unhashed}")
    for finding in findings:
        print(f"{path}: {paint(finding['what'], 'red', sys.stdout)}: {finding['text']}")


# ---- hash ------------------------------------------------------------------------------------------------------------


def _hash_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser)
    _options.add_json(parser)
    parser.add_argument("--check", action="store_true", help="compare with core:sha512: exit 1 unless it is the same")


def _hash(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit

    recording = _samples.open_for(args)
    result = recording.hash_check()
    wrong = args.check and result.status != "ok"
    if args.json:
        told = {"status": result.status, "expected": result.expected, "actual": result.actual}
        emit({"ok": not wrong, "error": None, "recording": recording.where, **told})
    else:
        words = {"ok": "as stated", "mismatch": f"NOT as stated: {result.expected}", "absent": "none is stated"}
        print(f"{result.actual}  {recording.where} ({words[result.status]})")
    return int(wrong)


# ---- annotations -----------------------------------------------------------------------------------------------------


def _annotations_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser)
    _options.add_json(parser)
    _samples.add_span(parser)
    parser.add_argument("--label", metavar="TEXT", help="only those whose label contains TEXT")


def _annotations(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.commands._terminal import shorten, table

    recording = _samples.open_for(args)
    low, high = _samples.span_of(recording, args)
    found = [a for a in recording.annotations if a.start < high and a.stop >= low and (args.label or "") in a.label]
    if args.json:
        told = [{"number": a.number, "start": a.start, "count": a.count, "fields": a.fields} for a in found]
        emit({"ok": True, "error": None, "recording": recording.where, "annotations": told})
        return 0
    rows = [("#", "start", "samples", "time", "label", "lower Hz", "upper Hz", "generator", "comment")]
    for a in found:
        when = "" if recording.sample_rate is None else f"{a.start / recording.sample_rate:.6f} s"
        low_hz, high_hz = ("" if e is None else f"{e:.10g}" for e in (a.freq_lower_edge, a.freq_upper_edge))
        comment = shorten(" ".join(a.comment.split()), 70)
        rows.append((str(a.number), str(a.start), str(a.count), when, a.label, low_hz, high_hz, a.generator, comment))
    print("\n".join([*table(rows, right=(0, 1, 2, 3, 5, 6)), f"{len(found)} of {len(recording.annotations)} shown"]))
    return 0


# ---- spectrogram -----------------------------------------------------------------------------------------------------


def _spectrogram_arguments(parser: argparse.ArgumentParser) -> None:
    _samples.add_recording(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", required=True, help="the PNG file to write")
    _options.add_json(parser)
    _samples.add_span(parser)
    parser.add_argument("--full", action="store_true", help="look at every sample, however many there are")
    parser.add_argument("--channel", type=int, default=0, metavar="N", help="channel of a multi-channel recording")
    parser.add_argument("--fft", type=int, metavar="N", help="size of the transforms, a power of 2")
    parser.add_argument("--columns", type=int, default=1200, metavar="N", help="columns at most (1200)")
    parser.add_argument("--show", choices=("peak", "mean"), default="peak", help="what a column shows of its spectra")
    parser.add_argument("--title", help="instead of the recording's name")
    parser.add_argument("--no-annotations", action="store_true", help="draw no annotations")


def _spectrogram(args: argparse.Namespace) -> int:
    from semwave.commands._json import emit
    from semwave.recording.picture import save_spectrogram
    from semwave.recording.spectrum import spectrogram
    from semwave.runtime.errors import naming

    recording = _samples.open_for(args)
    start, stop = _samples.span_of(recording, args)
    with _samples.job(stop - start, "looking", recording.sample_rate) as meter:

        def moved(done: int) -> bool:
            meter.done = done
            return meter.stopping

        seen = spectrogram(
            recording, start, stop, columns=args.columns, fft_size=args.fft, full=args.full, channel=args.channel,
            on_progress=moved,
        )  # fmt: skip
    with naming(args.output):
        drawn = save_spectrogram(
            recording, seen, args.output, show=args.show, title=args.title, annotations=not args.no_annotations
        )
    facts = {"file": str(args.output), "covered": seen.covered, "fft_size": seen.fft_size, "columns": len(seen.mean)}
    clipped = int((seen.clipped > 0).sum())
    if args.json:
        emit({"ok": not meter.stopping, "error": None, **facts, "clipped_columns": clipped, **drawn})
    else:
        share = "all samples" if seen.covered >= 1 else f"{100 * seen.covered:.3g} % of the samples"
        hint = "" if seen.full or seen.covered >= 1 else "; short bursts can be missed: --full looks at all"
        print(f"{args.output}: {len(seen.mean)} x {seen.bins}, {share} looked at{hint}")
        if clipped:
            print(f"clipping in {clipped} of {len(seen.mean)} columns")
    return INTERRUPTED if meter.stopping else 0


VERBS: dict[str, Verb] = {
    "info": ("what is in a recording, on one screen", _info_arguments, _info),
    "validate": ("check recordings; exit code 1 if anything is found", _validate_arguments, _validate),
    "hash": ("hash the data, and compare with what the metadata state", _hash_arguments, _hash),
    "annotations": ("list the annotations", _annotations_arguments, _annotations),
    "spectrogram": ("draw a picture: spectra over time, annotations, captures", _spectrogram_arguments, _spectrogram),
}
