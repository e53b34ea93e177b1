"""Points that are pictures: one scheme, one picture, one channel and SNR, one bandwidth; scored where it arrives."""

import io
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semwave.bench.air import Air, Channel
from semwave.bench.schemes import Delivery, Picture, make, remembered, schemes
from semwave.sweep import content, quality
from semwave.sweep.errors import SweepError
from semwave.sweep.plan import Point, combinations, grids, point
from semwave.sweep.stopping import MeanRule, as_params, mean_interval, rule
from semwave.sweep.tasks import Found
from semwave.sweep.values import digest, ratio, seed_of, tidy

Array = NDArray[Any]
VERSION = "1"
AXES = ("scheme", "picture", "channel", "snr_db", "cbr", "seed", "max_side")
SHARE, SHOWN_QUALITY = 0.35, 92  # of a picture that is key where scores ask for it; of pictures that are kept


# ---- the points ------------------------------------------------------------------------------------------------------


def points(name: str, table: Mapping[str, Any], files: tuple[str, ...]) -> list[Point]:
    """The points of a sweep over pictures.

    Axes: scheme (a name or a table with ``name`` and options), picture (files, folders), channel (a profile or a
    table), snr_db, cbr (payload channel uses over 3 x height x width), seed, max_side; ``"scheme.mcs"`` and
    ``"channel.doppler_hz"`` set one entry of a table.
    """
    common = {
        "metrics": quality.check(table["metrics"] if "metrics" in table else quality.default()),
        "stop": as_params(table.get("stop", {}), MeanRule),
    }
    gallery, beside = table.get("gallery", {}), table.get("file")
    try:
        known = schemes(files)
    except ValueError as error:
        raise SweepError(str(error)) from error
    found: list[Point] = []
    for grid in grids(table, name):
        places = grid.get("picture", "recordings/images")
        paths = content.pictures(places if isinstance(places, list) else [places], beside and Path(beside))
        limit = grid.pop("pictures", None)
        grid = {**grid, "picture": [str(p) for p in paths[:limit]]}
        found += [_point(name, v, common, known, files, gallery, beside) for v in combinations(grid)]
    return found


def _point(
    name: str, values: dict[str, Any], common: Mapping[str, Any], known: Mapping[str, Any], files: tuple[str, ...],
    gallery: Mapping[str, Any], beside: str | None,
) -> Point:  # fmt: skip
    values = _merged(name, values)
    scheme, options = _named(values.get("scheme", "conventional"), "name", "scheme")
    if scheme not in known:
        raise SweepError(f"{name}: scheme must be one of {', '.join(sorted(known))}, not {scheme!r}")
    try:
        make(scheme, options, files)
    except (ValueError, TypeError) as error:
        told = str(error).removeprefix(f"scheme {scheme}: ")
        raise SweepError(f"{name}: scheme {scheme!r}: {told}") from error
    where = {"picture": str(Path(values["picture"]).resolve())}
    where |= {f"schemes{i}": str(Path(f).resolve()) for i, f in enumerate(files)}
    cbr = ratio(f"{name}: cbr", values.get("cbr", 1 / 24))
    if not 0 < cbr <= 4:
        raise SweepError(f"{name}: cbr must be above 0 and at most 4 channel uses a sample, not {cbr}")
    params = {
        **common,
        "scheme": scheme,
        "options": options,
        "picture": {"name": Path(values["picture"]).name, "sha256": content.sha256(values["picture"])},
        "channel": _channel(name, values.get("channel", "awgn"), where, Path(beside) if beside else None),
        "snr_db": float(values.get("snr_db", 10)),
        "cbr": cbr,
        "seed": int(values.get("seed", 0)),
        "max_side": int(values.get("max_side", 0)),
    }
    params["keep"] = _kept(gallery, params)
    return point(name, "picture", params, f"{VERSION}.{known[scheme].version}", where)


def _merged(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``"channel.doppler_hz" = 30`` put into the table ``channel``."""
    found: dict[str, Any] = {}
    for key, value in sorted(values.items(), key=lambda item: "." in item[0]):
        head, dot, part = key.partition(".")
        if head not in AXES or (dot and head not in ("scheme", "channel")):
            raise SweepError(f"{name}: a sweep of pictures has the axes {', '.join(AXES)}, not {key!r}")
        if dot:
            first = {"scheme": "name", "channel": "profile"}[head]
            now = found.get(head, {"scheme": "conventional", "channel": "awgn"}[head])
            found[head] = {**({first: now} if isinstance(now, str) else now), part: value}
        else:
            found[key] = value
    return found


def _named(value: Any, key: str, what: str) -> tuple[str, dict[str, Any]]:
    """Name and options of ``"name"`` or ``{ name = ..., option = ... }``."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get(key), str):
        return value[key], {k: v for k, v in value.items() if k != key}
    raise SweepError(f"{what} must be a name, or a table with {key}, not {value!r}")


def _channel(name: str, value: Any, where: dict[str, str], beside: Path | None) -> dict[str, Any]:
    """All fields of the channel but its SNR; files by their hash, their places in ``where``."""
    profile, rest = _named(value, "profile", "channel")
    try:
        made = Channel(profile=profile, **rest)
    except (TypeError, ValueError) as error:
        raise SweepError(f"{name}: channel: {error}") from error
    found = {k: v for k, v in made.as_dict().items() if k != "snr_db"}
    found["label"] = made.label()
    for key in ("path", "interference"):
        if found[key]:
            file = content.located(found[key], beside)
            where[key] = str(file.resolve())
            found["label"] += f" {file.stem}"
            try:
                found[key] = content.sha256(file)
            except SweepError as error:
                raise SweepError(f"{name}: channel.{key}: {error}") from error
    return found


def _kept(gallery: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether this point's pictures go to the gallery: the first seed, where SNR, bandwidth and name are asked for."""
    asked = {k: gallery[k] for k in ("snr_db", "cbr", "picture", "scheme") if k in gallery}
    if not gallery or params["seed"] != gallery.get("seed", 0):
        return False
    for key, wanted in asked.items():
        value = params["picture"]["name"] if key == "picture" else params[key]
        choices = wanted if isinstance(wanted, list) else [wanted]
        if tidy(value) not in [ratio("gallery.cbr", w) if key == "cbr" else tidy(w) for w in choices]:
            return False
    return True


# ---- one point -------------------------------------------------------------------------------------------------------


def compute(params: Mapping[str, Any], where: Mapping[str, str]) -> Found:
    """Realisations of the channel until the rule ends them: means of the scores, with the values they are of.

    The channel's draws depend on channel, picture and seed alone: every scheme meets the same air.
    """
    picture = _load(params, where)
    files = [where[k] for k in sorted(where) if k.startswith("schemes")]
    scheme = make(params["scheme"], params["options"], files)
    stop: MeanRule = rule(MeanRule, params["stop"])
    air_seed = [params["channel"], params["picture"]["sha256"], params["seed"]]
    channel = _channel_of(params, where)
    budget = max(1, int(params["cbr"] * picture.samples))
    values: list[dict[str, Any]] = []
    deliveries: list[Delivery] = []
    reason = None
    while reason is None:
        n = len(values)
        own = np.random.default_rng(seed_of(params["scheme"], *air_seed, n))
        got = scheme.transmit(picture, Air(channel, seed_of(*air_seed, n)), budget, own)
        if got.payload > budget:
            raise SweepError(f"{params['scheme']} used {got.payload} symbols of a budget of {budget}")
        found = quality.scores(params["metrics"], picture.image, got.image, lambda: _region(picture))
        values.append(found)
        deliveries = [*deliveries, got] if not deliveries else [deliveries[0], replace(got, image=got.image[:0])]
        values[-1] |= {"_payload": got.payload, "_total": got.total, "_ok": got.status == "ok"}
        reason = stop.reason([v.get(stop.metric) or math.nan for v in values])
    result = _summary(params, picture, budget, values, deliveries[0])
    return Found(result, reason, _pictures(picture, deliveries[0]) if params["keep"] else {})


def _channel_of(params: Mapping[str, Any], where: Mapping[str, str]) -> Channel:
    table = {k: v for k, v in params["channel"].items() if k != "label"}
    table |= {k: where[k] for k in ("path", "interference") if table[k]}
    return Channel(snr_db=float(params["snr_db"]), **table)


def _load(params: Mapping[str, Any], where: Mapping[str, str]) -> Picture:
    about, side = params["picture"], params["max_side"]

    def read() -> Picture:
        from semwave.models.pictures import load_picture

        if content.sha256(where["picture"]) != about["sha256"]:
            raise SweepError(f"{where['picture']} has changed since the sweep was planned")
        image = _shrunk(load_picture(where["picture"]), side)
        return Picture(image, about["name"], digest([about["sha256"], side]))

    found: Picture = remembered(("picture", about["sha256"], side), read)
    return found


def _shrunk(image: Array, side: int) -> Array:
    longest = max(image.shape[:2])
    if not side or longest <= side:
        return image
    from PIL import Image

    size = [max(1, round(n * side / longest)) for n in (image.shape[1], image.shape[0])]
    return np.asarray(Image.fromarray(image).resize((size[0], size[1]), Image.Resampling.LANCZOS))


def _region(picture: Picture) -> Array:
    """The key region, the same for every scheme: bool [row, column]."""
    from semwave.bench.schemes.semwave import key_grid
    from semwave.models.maskcode import block_size
    from semwave.models.segment import expand

    height, width = picture.image.shape[:2]
    region: Array = expand(key_grid(picture, share=SHARE), block_size(height, width), (height, width))
    return region


def _summary(
    params: Mapping[str, Any], picture: Picture, budget: int, values: list[dict[str, Any]], first: Delivery
) -> dict[str, Any]:
    samples = picture.samples
    result: dict[str, Any] = {
        "realizations": len(values),
        "ok_share": sum(v["_ok"] for v in values) / len(values),
        "status": first.status,
        "budget": budget,
        "cbr_payload": float(np.mean([v["_payload"] for v in values])) / samples,
        "cbr_total": float(np.mean([v["_total"] for v in values])) / samples,
        "height": picture.image.shape[0],
        "width": picture.image.shape[1],
    }
    for name in (n for n in values[0] if not n.startswith("_")):
        numbers = [v[name] for v in values if v.get(name) is not None]
        result[name] = float(np.mean(numbers)) if numbers else None
        if len(numbers) > 1:
            result[f"{name}_low"], result[f"{name}_high"] = mean_interval(numbers)
    return {**result, "extras": dict(first.extras)}


# ---- pictures to look at ---------------------------------------------------------------------------------------------


def _pictures(picture: Picture, got: Delivery) -> dict[str, tuple[str, str, bytes]]:
    shown = {"original": picture.image, "received": got.image}
    kept = {kind: _webp(image) for kind, image in shown.items()}
    return {**kept, **{kind: _png(image) for kind, image in got.pictures.items()}}


def _webp(image: Array) -> tuple[str, str, bytes]:
    return _kept_as(image, "image/webp", quality=SHOWN_QUALITY, method=4)


def _png(image: Array) -> tuple[str, str, bytes]:
    return _kept_as(image, "image/png", optimize=True)


def _kept_as(image: Array, media: str, **options: Any) -> tuple[str, str, bytes]:
    import hashlib

    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, media.partition("/")[2].upper(), **options)
    data = file.getvalue()
    return hashlib.sha256(data).hexdigest(), media, data
