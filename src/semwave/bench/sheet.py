"""The contact sheet: one row a picture, from what was sent to what arrived, beside a conventional transmission."""

from statistics import median
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from semwave.bench.album import COLOURS

TITLES = {
    "original": "sent",
    "mask": "key region",
    "reconstruction": "received by semwave",
    "provenance": "where each pixel comes from",
    "conventional": "conventional, same symbols, same air",
}
CELL, PAD, CAPTION, TOP = (340, 260), 14, 62, 96
INK, SOFT, PAPER, ALARM = (28, 30, 34), (105, 110, 118), (250, 250, 248), (190, 40, 50)


def contact_sheet(items: list[dict[str, Any]]) -> Image.Image:
    """Draw the rows, each ``{"row": scores, "pictures": {name: uint8 [row, column, 3]}}``."""
    columns = [name for name in TITLES if any(name in item["pictures"] for item in items)]
    width = PAD + len(columns) * (CELL[0] + PAD)
    sheet = Image.new("RGB", (width, TOP + len(items) * (CELL[1] + CAPTION + PAD) + 34), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((PAD, 12), _headline(items), INK, _font(24))
    for i, name in enumerate(columns):
        draw.text((PAD + i * (CELL[0] + PAD), TOP - 30), TITLES[name], INK, _font(17))
    for k, item in enumerate(items):
        y = TOP + k * (CELL[1] + CAPTION + PAD)
        for i, name in enumerate(columns):
            _cell(sheet, draw, (PAD + i * (CELL[0] + PAD), y), item, name)
    _legend(draw, (PAD, sheet.height - 28))
    return sheet


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _headline(items: list[dict[str, Any]]) -> str:
    rows = [item["row"] for item in items]
    snr = [r["reception"]["snr_db"] for r in rows if r.get("reception")]
    ratio = [r["cbr_total"] for r in rows if r.get("cbr_total")]
    parts = ["Pictures over the air"]
    if snr:
        parts.append(f"{min(snr):.1f} to {max(snr):.1f} dB SNR received")
    if ratio:
        middle = median(ratio)
        share = f" (1/{1 / middle:.0f})" if middle < 0.5 else ""
        parts.append(f"{middle:.4f} channel uses a sample{share}, everything counted")
    return "   ·   ".join(parts)


def _cell(sheet: Image.Image, draw: ImageDraw.ImageDraw, at: tuple[int, int], item: dict[str, Any], name: str) -> None:
    image = item["pictures"].get(name)
    if image is not None:
        picture = Image.fromarray(image)
        scale = min(CELL[0] / picture.width, CELL[1] / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        sheet.paste(picture.resize(size, Image.Resampling.LANCZOS), (at[0], at[1] + CELL[1] - size[1]))
    for i, (text, colour) in enumerate(_caption(item["row"], name)):
        draw.text((at[0], at[1] + CELL[1] + 4 + 18 * i), text, colour, _font(13))


def _caption(row: dict[str, Any], name: str) -> list[tuple[str, Any]]:
    if name == "original":
        return [(f"{row['name']}   {row['width']} x {row['height']}", INK)]
    if name == "mask":
        share = f"{100 * row['key_share']:.0f} % of the picture" if row.get("key_share") is not None else ""
        return [(share, SOFT), *[(line, SOFT) for line in _wrapped(row.get("prompt") or "", 56, 2)]]
    if name == "reconstruction":
        state = row["result"]
        return [(f"frame: {state}", INK if state == "ok" else ALARM), *_scores(row)]
    if name == "provenance" and "received" in row:
        return [("   ".join(f"{100 * row[k]:.0f} % {k}" for k in COLOURS), SOFT)]
    if name == "conventional" and "baseline" in row:
        base = row["baseline"]
        lost = base["result"] != "ok"
        head = "lost" if lost else f"{base.get('codec') or ''}"
        return [(f"frame: {base['result']}   {'' if lost else head}", ALARM if lost else INK), *_scores(base)]
    return []


def _scores(row: dict[str, Any]) -> list[tuple[str, Any]]:
    def pair(a: Any, b: Any, form: str) -> str:
        return f"{format(a, form) if a is not None else '-'} / {format(b, form) if b is not None else '-'}"

    first = f"PSNR all / key   {pair(row.get('psnr'), row.get('psnr_key'), '.1f')} dB"
    second = f"SSIM all / key   {pair(row.get('ssim'), row.get('ssim_key'), '.3f')}"
    return [(first, SOFT), (second, SOFT)]


def _wrapped(text: str, width: int, lines: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, max_lines=lines, placeholder=" ...")


def _legend(draw: ImageDraw.ImageDraw, at: tuple[int, int]) -> None:
    x, y = at
    for name, colour in COLOURS.items():
        draw.rectangle((x, y + 2, x + 14, y + 16), fill=colour)
        draw.text((x + 20, y), name, SOFT, _font(14))
        x += 110
