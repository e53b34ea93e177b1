"""What ``semwave metrics`` does: find the pairs, measure them, print a table or JSON."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semwave.commands._interrupts import INTERRUPTED
from semwave.commands._json import emit
from semwave.commands._progress import Progress
from semwave.commands._terminal import paint, shorten, table
from semwave.runtime.errors import UserError

FORMS = {"psnr": ".2f"}  # all others have four digits
SHOWN = 6  # names in a message, at most


def run(args: argparse.Namespace) -> int:
    """The whole command."""
    pairs, extra = find_pairs(args.ref, args.test)
    _refuse_early(args, len(pairs))
    if args.set_distance:
        return _sets(args, pairs, extra)
    names = chosen(args.metrics)
    rows, stopped = _measured(args, pairs, names)
    if stopped and not rows:
        raise KeyboardInterrupt("stopped by Ctrl-C")
    told = f"stopped by Ctrl-C after {len(rows)} of {len(pairs)} pictures" if stopped else None
    if args.json:
        found = {"metrics": names, "pictures": rows, "mean": mean(rows, names), "unmatched": extra}
        emit({"ok": not stopped, "error": told, **found} if stopped else {"ok": True, **found})
        return INTERRUPTED if stopped else 0
    _notes(args, names, extra)
    print("\n".join([*lines(rows, names), *(_object_lines(rows) if args.objects else ())]))
    if told:
        print(f"semwave: {told}", file=sys.stderr)
    return INTERRUPTED if stopped else 0


def _refuse_early(args: argparse.Namespace, count: int) -> None:
    """What does not go together, before any work."""
    if args.set_distance:
        if count < 2:
            raise UserError("--set-distance compares two folders with at least two pictures each")
        given = {
            "--mask": args.mask, "--metrics": args.metrics, "--objects": args.objects, "--overlay": args.overlay,
        }  # fmt: skip
        for option, value in given.items():
            if value is not None and value is not False:
                raise UserError(f"--set-distance compares whole sets of whole pictures: leave {option} out")
    if args.overlay is not None:
        if not args.objects:
            raise UserError("--overlay draws what --objects finds: give both")
        if count > 1 and args.overlay.exists() and not args.overlay.is_dir():
            raise UserError(f"--overlay must be a folder for {count} pictures, and {args.overlay} is a file")
    if args.mask is not None and not args.mask.exists():
        raise UserError(f"--mask {args.mask}: no such file or folder")


def _measured(
    args: argparse.Namespace, pairs: Sequence[tuple[str, Path, Path]], names: Sequence[str]
) -> tuple[list[dict[str, Any]], bool]:
    """A row a pair, and whether Ctrl-C ended it before the last."""
    rows: list[dict[str, Any]] = []
    with Progress(wanted=not args.json) as progress:
        done = _Done(len(pairs))
        progress.run, progress.note = done, "measuring"
        try:
            for name, ref, test in pairs:
                rows.append(_row(args, name, ref, test, names, alone=len(pairs) == 1))
                done.count += 1
        except KeyboardInterrupt:
            return rows, True
    return rows, False


def chosen(told: str | None) -> list[str]:
    """The metrics to take: those told, or all that have their weights."""
    from semwave.bench.metrics.table import STANDARD, known
    from semwave.bench.weights import missing, need

    if told is None:
        return [name for name in STANDARD if name != "dists" or missing() is None]
    try:
        names = list(known(name.strip() for name in told.split(",") if name.strip()))
    except ValueError as error:
        raise UserError(f"--{error}") from error
    if "dists" in names:
        need()
    return names


def find_pairs(ref: Path, test: Path) -> tuple[list[tuple[str, Path, Path]], list[str]]:
    """(Name, original, judged) of each pair, and the pictures of TEST that have no original.

    Raises:
        UserError: one is missing, one is a folder and the other is not, or an original has no counterpart.
    """
    for path in (ref, test):
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
    if ref.is_dir() != test.is_dir():
        folder, file = (ref, test) if ref.is_dir() else (test, ref)
        raise UserError(f"{folder} is a folder and {file} is not: give two pictures or two folders")
    if not ref.is_dir():
        return [(test.name, ref, test)], []
    originals, judged = _listed(ref), _listed(test)
    by_name = {p.name: p for p in judged}
    by_stem: dict[str, Path] = {}
    for path in judged:
        by_stem.setdefault(path.stem, path)
    found = [(p.name, p, by_name.get(p.name) or by_stem.get(p.stem)) for p in originals]
    lacking = [name for name, _, other in found if other is None]
    if lacking:
        raise UserError(f"{test} has no picture for {_few(lacking)} of {ref} ({len(lacking)} of {len(found)})")
    pairs = [(name, path, other) for name, path, other in found if other is not None]
    used = {other for _, _, other in pairs}
    return pairs, [p.name for p in judged if p not in used]


def mean(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, float | None]:
    """Means over the pictures that have a value; PSNR of equal pictures (infinite) is left out."""
    means: dict[str, float | None] = {}
    for name in [
        *names,
        *(["hallucination"] if rows and "hallucination" in rows[0] and "hallucination" not in names else []),
    ]:
        values = [row[name] for row in rows if row[name] is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def lines(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    """The table."""
    from semwave.bench.metrics.table import HEADS

    wanted = [*names, *(["hallucination"] if "hallucination" in rows[0] and "hallucination" not in names else [])]
    head = ["picture", *(HEADS.get(name, name) for name in wanted)]
    body = [[shorten(row["name"], 40), *(_shown(row, name) for name in wanted)] for row in rows]
    if len(rows) > 1:
        means = {**mean(rows, names), "equal": [n for n in names if all(n in r["equal"] for r in rows)]}
        body.append([f"mean of {len(rows)}", *(_shown(means, name) for name in wanted)])
    out = table([head, *body], right=range(1, len(head)))
    return [paint(out[0], "bold", sys.stdout), *out[1:]]


# ---- one pair --------------------------------------------------------------------------------------------------------


def _row(
    args: argparse.Namespace, name: str, ref: Path, test: Path, names: Sequence[str], *, alone: bool
) -> dict[str, Any]:
    from semwave.bench.metrics.table import measure

    original, judged = _loaded(ref), _loaded(test)
    if original.shape != judged.shape:
        sizes = [f"{p.shape[1]}x{p.shape[0]}" for p in (original, judged)]
        raise UserError(f"{ref} has {sizes[0]} pixels and {test} {sizes[1]}: they must have one size")
    mask = None if args.mask is None else _mask(args.mask, ref, original.shape[:2])
    values = measure(original, judged, names, mask)
    row: dict[str, Any] = {"name": name, "ref": str(ref), "test": str(test), **values}
    row["equal"] = ["psnr"] if "psnr" in values and values["psnr"] is None else []
    if args.objects:
        from semwave.bench.metrics.objects import compare_objects, save_overlay

        found = compare_objects(original, judged, _detector(args.detector))
        row |= {"hallucination": found.score, "objects": found.as_dict()}
        if args.overlay is not None:
            save_overlay(_overlay_path(args.overlay, name, alone), judged, found)
    return row


def _detector(name: str) -> Any:
    from semwave.bench.metrics.objects import load_detector

    try:
        return load_detector(name)
    except (ValueError, OSError) as error:
        raise UserError(f"--detector: {error}") from error


def _overlay_path(told: Path, name: str, alone: bool) -> Path:
    if alone and not told.is_dir():
        return told
    told.mkdir(parents=True, exist_ok=True)
    return told / f"{Path(name).stem}.png"


def _mask(told: Path, ref: Path, size: tuple[int, ...]) -> Any:
    """The mask of an original: bright pixels count."""
    file = told
    if told.is_dir():
        same = [p for p in _listed(told) if p.stem == ref.stem]
        if not same:
            raise UserError(f"{told} has no mask for {ref.name}")
        file = same[0]
    picture = _loaded(file)
    if picture.shape[:2] != size:
        raise UserError(f"the mask {file} has {picture.shape[1]}x{picture.shape[0]} pixels, {ref} {size[1]}x{size[0]}")
    mask = picture.mean(axis=2) >= 128
    if not mask.any():
        raise UserError(f"the mask {file} is black all over: white pixels are those that count")
    return mask


def _loaded(path: Path) -> Any:
    from semwave.models.pictures import PictureError, load_picture

    try:
        return load_picture(path)
    except PictureError as error:
        raise UserError(str(error)) from error


def _listed(folder: Path) -> list[Path]:
    from semwave.models.pictures import PictureError, list_pictures

    try:
        return list_pictures(folder).pictures
    except PictureError as error:
        raise UserError(str(error)) from error


# ---- sets ------------------------------------------------------------------------------------------------------------


def _sets(args: argparse.Namespace, pairs: Sequence[tuple[str, Path, Path]], extra: list[str]) -> int:
    from semwave.bench.metrics import sets

    with Progress(wanted=not args.json) as progress:
        done = _Done(2 * len(pairs))
        progress.run, progress.note = done, "features"
        folders = [ref for _, ref, _ in pairs], [test for _, _, test in pairs]
        found = [sets.features(done.each(map(_loaded, folder))) for folder in folders]
    fd, kd = sets.frechet_distance(*found), sets.kernel_distance(*found)
    if args.json:
        told = {"features": sets.FEATURES, "count": len(pairs), "unmatched": extra}
        emit({"ok": True, "frechet_distance": fd, "kernel_distance": kd, **told})
        return 0
    print(f"FD (EfficientNet-Lite0 features)  {fd:.4f}\nKD (EfficientNet-Lite0 features)  {kd:.5f}")
    print(f"{len(pairs)} pictures each; not FID and KID, which take Inception features")
    return 0


# ---- printing --------------------------------------------------------------------------------------------------------


def _notes(args: argparse.Namespace, names: Sequence[str], extra: list[str]) -> None:
    from semwave.bench.weights import FETCH

    if args.metrics is None and "dists" not in names:
        print(f"without DISTS: its weights are not there ('{FETCH}')", file=sys.stderr)
    if extra:
        print(f"not in {args.ref}, left out: {_few(extra)}", file=sys.stderr)


def _shown(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if value is None:
        return "equal" if name in row["equal"] else "-"
    return format(value, FORMS.get(name, ".4f"))


def _object_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    out = [""]
    for row in rows:
        for kind in ("lost", "added"):
            for seen in row["objects"][kind]:
                box = ", ".join(f"{v:.0f}" for v in seen["box"])
                out.append(f"{row['name']}: {kind} {seen['label']} ({seen['score']:.2f}) at [{box}]")
    return out if len(out) > 1 else ["", "no object added or lost"]


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


class _Done:
    """Counts what is done, for the progress line."""

    def __init__(self, total: int) -> None:
        self.count, self.total = 0, total

    def progress(self) -> tuple[float, float]:
        return self.count, self.total

    def each(self, items: Any) -> Any:
        for item in items:
            yield item
            self.count += 1
