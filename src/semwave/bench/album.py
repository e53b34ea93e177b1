"""What a run did with each picture, as files: a folder a picture, a contact sheet, a report."""

import json
import platform
from collections.abc import Collection
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.runtime.errors import naming

Array = NDArray[Any]
COLOURS = {"received": (46, 160, 67), "inferred": (56, 132, 214), "invented": (219, 68, 85)}


class Album:
    """Collect what belongs to each picture; write it when its row is there.

    ``folder`` is made at once, so that a path that cannot be written fails before anything is sent.
    """

    def __init__(
        self, folder: Path, *, with_sheet: bool = True, sheet_rows: int = 12, kinds: Collection[str] = ()
    ) -> None:
        self.folder, self.with_sheet, self.sheet_rows = folder, with_sheet, sheet_rows
        self._kinds = set(kinds)  # what comes for every picture that arrives
        folder.mkdir(parents=True, exist_ok=True)
        self._parts: dict[int, dict[str, Any]] = {}
        self.rows: list[dict[str, Any]] = []
        self._sheet: list[dict[str, Any]] = []
        self._stages: dict[str, float] = {}
        self._seconds = 0.0

    def add(self, number: int, kind: str, what: Any) -> None:
        """A part of picture ``number``; its row is the last to come and has it written."""
        parts = self._parts.setdefault(number, {})
        if "row" not in self._kinds and kind == "image":  # a receiver of its own
            lost = what.meta.get("lost", [])
            told = {"result": f"{', '.join(lost)} lost" if lost else "ok"}
            told |= {"prompt": what.meta.get("prompt"), "reception": what.meta.get("report")}
            parts["row"] = {"number": number, "name": f"picture_{number}", **told}
        parts[kind] = what if kind == "row" else what.data
        if "row" in parts and self._complete(parts):
            self._write(number)

    def finish(self) -> None:
        """Write what has a row although something is missing, then the contact sheet."""
        for number in sorted(self._parts):
            parts = self._parts[number]
            if "row" in parts and ("sent" in parts or "row" not in self._kinds):
                self._write(number)
        if self.with_sheet and self._sheet:
            from semwave.bench.sheet import contact_sheet

            with naming(self.folder / "comparison.png") as file:
                contact_sheet(sorted(self._sheet, key=lambda s: s["row"]["number"])).save(file)

    def _complete(self, parts: dict[str, Any]) -> bool:
        """Whether nothing more will come: of a lost picture only what the transmitter knows."""
        row = parts["row"]
        wanted = ({"image"} | self._kinds) - {"row", "baseline"}
        if row["result"] == "lost picture":
            wanted -= {"image", "provenance"}
        if "baseline" in self._kinds and row.get("baseline", {}).get("result") == "ok":
            wanted.add("baseline")
        return wanted <= parts.keys()

    def _write(self, number: int) -> None:
        from semwave.models.pictures import save_png

        parts = self._parts.pop(number)
        row, sent = parts["row"], parts.get("sent")
        pictures = self._pictures(parts, row, sent)
        if "provenance" in parts:
            for i, kind in enumerate(COLOURS):
                row.setdefault(kind, float(np.mean(parts["provenance"] == i)))
        with naming(self.folder / f"{number:02d}_{Path(row['name']).stem}") as folder:
            folder.mkdir(exist_ok=True)
            for name, image in pictures.items():
                save_png(folder / f"{name}.png", image)
            if "provenance" in parts:
                np.savez_compressed(folder / "provenance.npz", provenance=parts["provenance"])
            (folder / "prompt.txt").write_text((row.get("prompt") or "") + "\n", encoding="utf-8")
        row["files"] = folder.name
        self.rows.append(row)
        self.rows.sort(key=lambda r: r["number"])
        if len(self._sheet) < self.sheet_rows:
            self._sheet.append({"row": row, "pictures": pictures})

    def _pictures(self, parts: dict[str, Any], row: dict[str, Any], sent: Array | None) -> dict[str, Array]:
        """Everything worth a look, by name; what never came is mid-grey."""
        grey = np.full_like(parts["image"] if sent is None else sent, 128)
        made = {} if sent is None else {"original": sent}
        if "mask" in parts and sent is not None:
            made["mask"] = _dimmed(sent, parts["mask"])
        made["reconstruction"] = parts.get("image", grey)
        if "provenance" in parts:
            made["provenance"] = _tinted(made["reconstruction"], parts["provenance"])
        if "baseline" in row:
            made["conventional"] = parts.get("baseline", grey)
        return made

    # ---- the report ----------------------------------------------------------------------------------------

    def report(self, result: Any) -> None:
        """Write report.json: rows, what every block took, versions."""
        import semwave

        self._stages = {b.name: b.busy_s for b in result.blocks}
        self._seconds = result.seconds
        report = {
            "semwave": semwave.__version__,
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}",
            "seconds": result.seconds,
            "interrupted": result.interrupted,
            "pictures": self.rows,
            "blocks": result.as_dict()["blocks"],
            "warnings": result.warnings,
        }
        text = json.dumps(_plain(report), indent=1, default=str, allow_nan=False)
        with naming(self.folder / "report.json") as file:
            file.write_text(text + "\n", encoding="utf-8")

    def table(self) -> str:
        """The rows as people read them."""
        if not self.rows:
            return "no picture was sent"
        more = [name for name in _MORE if name in self.rows[0]]
        heads = "".join(f" {head:>6} {'key':>6}" for head in (_MORE[name] for name in more))
        lines = [_HEAD + heads, *(_line(row) + _further(row, more) for row in self.rows)]
        if any("baseline" in r for r in self.rows):
            rows = [_baseline_line(row) + _further(row.get("baseline", {}), more) for row in self.rows]
            lines += ["", _BASELINE_HEAD + heads, *rows]
        shares = [r for r in self.rows if "received" in r]
        if shares:
            mean = {k: 100 * float(np.mean([r[k] for r in shares])) for k in COLOURS}
            lines += ["", "pixels: " + ", ".join(f"{v:.0f} % {k}" for k, v in mean.items())]
        if self._stages:
            busy = sorted(self._stages.items(), key=lambda s: -s[1])
            shown = ", ".join(f"{n} {s / len(self.rows):.2f}" for n, s in busy if s / len(self.rows) >= 0.005)
            lines += [f"seconds per picture and stage: {shown}; {self._seconds:.1f} s in all"]
        lines += [f"written to {self.folder}/: comparison.png, report.json, a folder a picture"]
        return "\n".join(lines)


def complete_report(folder: Path, result: Any) -> None:
    """Put what the blocks of all parts took into the report that the sink's part has written; nothing without one."""
    file = folder / "report.json"
    if not file.is_file():
        return
    report = json.loads(file.read_text(encoding="utf-8"))
    report |= {"seconds": result.seconds, "blocks": result.as_dict()["blocks"], "warnings": result.warnings}
    file.write_text(json.dumps(_plain(report), indent=1, default=str, allow_nan=False) + "\n", encoding="utf-8")


_HEAD = (
    f"{'picture':<16} {'frame':<12} {'SNR dB':>6} {'CBR payload':>11} {'CBR total':>9}  "
    f"{'bits mask+prompt+sketch+key':<28} {'PSNR':>6} {'key':>6} {'SSIM':>6} {'key':>6}"
)
_BASELINE_HEAD = f"{'conventional':<16} {'frame':<12} {'':>6} {'CBR payload':>11} {'CBR total':>9}  {'':<28} " + (
    f"{'PSNR':>6} {'key':>6} {'SSIM':>6} {'key':>6}"
)

_MORE = {"ms_ssim": "MSSSIM", "vsi": "VSI", "lpips": "LPIPS", "dists": "DISTS", "hallucination": "object"}


def _plain(value: Any) -> Any:
    """None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _number(value: float | None, form: str = "6.2f") -> str:
    return " " * int(form.split(".")[0]) if value is None else format(value, form)


def _line(row: dict[str, Any]) -> str:
    snr = (row.get("reception") or {}).get("snr_db")
    layers = row.get("layers", {})
    names = ("mask", "prompt", "sketch", "key") if layers else ()
    bits = "+".join(str(8 * layers.get(n, {}).get("bytes", 0)) for n in names)
    head = f"{_name(row)} {row['result'][:12]:<12} {_number(snr, '6.1f')}"
    return f"{head} {_ratio(row)}  {bits:<28} {_scores(row)}"


def _baseline_line(row: dict[str, Any]) -> str:
    base = row.get("baseline", {})
    codec = base.get("codec", "")
    return f"{_name(row)} {base.get('result', ''):<12} {'':>6} {_ratio(base)}  {codec:<28} {_scores(base)}"


def _name(row: dict[str, Any]) -> str:
    """The picture's name in one line of 16 characters."""
    return f"{' '.join(row['name'].split())[:16]:<16}"


def _ratio(row: dict[str, Any]) -> str:
    return f"{_number(row.get('cbr_payload'), '11.5f')} {_number(row.get('cbr_total'), '9.5f')}"


def _scores(row: dict[str, Any]) -> str:
    return " ".join(
        [
            _number(row.get("psnr"), "6.2f"),
            _number(row.get("psnr_key"), "6.2f"),
            _number(row.get("ssim"), "6.3f"),
            _number(row.get("ssim_key"), "6.3f"),
        ]
    )


def _further(row: dict[str, Any], names: list[str]) -> str:
    """The columns of further metrics, whole and key."""
    return "".join(f" {_number(row.get(key), '6.3f')}" for name in names for key in (name, f"{name}_key"))


def _dimmed(image: Array, mask: Array) -> Array:
    """The picture with all but the key region darkened and greyed."""
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand

    height, width = image.shape[:2]
    region = expand(mask.astype(bool), block_size(height, width), (height, width))
    grey = image.mean(axis=2, keepdims=True) * 0.35 + 20
    return np.where(region[..., None], image, grey).astype(np.uint8)


def _tinted(image: Array, provenance: Array) -> Array:
    """The picture in grey under the colours of received, inferred, invented."""
    tint = np.array(list(COLOURS.values()), np.float32)[np.minimum(provenance, 2)]
    grey = image.astype(np.float32).mean(axis=2, keepdims=True)
    return np.clip(0.5 * grey + 0.5 * tint, 0, 255).astype(np.uint8)
