"""How good the own captioner's captions are, beside two plain references, on Flickr8k's held-out pictures.

    python benchmarks/captioner.py --data DIR [--split test|dev] [--features DIR] [--quick] [--samples FILE]

BLEU-4 and CIDEr-D (semwave.models.text.scores, in per cent) against the five human captions, and the mean cosine of
MiniLM sentence vectors to those of the five. Peers: the commonest training caption, word for word (the same for every
picture), and the first caption of the training picture whose mean features are nearest. Human: one caption against the
other four. ``things`` are judged on COCO's annotated pictures: how often a named thing is annotated (a lower bound:
much is not), and its place in the same ninth as the centre of a box, against always saying "centre".
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _report import emit

from semwave.models.text.captioner import load_own, place_of
from semwave.models.text.embed import embed
from semwave.models.text.scores import bleu, cider_d
from semwave.models.text.things import thing
from semwave.training import captioner_data as cd

Texts = list[list[str]]


def vectors_of(texts: Texts) -> Any:
    """MiniLM sentence vectors, each text once, in batches."""
    flat = sorted({" ".join(words) for words in texts}, key=len)
    parts = [flat[i : i + 256] for i in range(0, len(flat), 256)]
    known = {text: vector for part in parts for text, vector in zip(part, embed(part), strict=True)}
    return np.stack([known[" ".join(words)] for words in texts])


def judged(said: Texts, references: list[Texts], kept: Path | None = None) -> dict[str, float]:
    """BLEU-4 and CIDEr-D in per cent, MiniLM cosine; vectors of the references are kept in a file."""
    if kept is None or not kept.exists():
        others = vectors_of([words for told in references for words in told])
        if kept is not None:
            np.save(kept, others)
    else:
        others = np.load(kept)
    start, cosines = 0, []
    for vector, told in zip(vectors_of(said), references, strict=True):
        cosines.append(float((others[start : start + len(told)] @ vector).mean()))
        start += len(told)
    return {
        "BLEU-4": 100 * bleu(said, references),
        "CIDEr-D": 100 * cider_d(said, references),
        "MiniLM cosine": float(np.mean(cosines)),
    }


def commonest(texts: Texts) -> list[str]:
    """The training caption that came most often, word for word."""
    return list(Counter(map(tuple, texts)).most_common(1)[0][0])


def nearest(grids: Any, train: Any, texts: Texts) -> Texts:
    """For each picture the first caption of the training picture with the nearest mean features (cosine)."""
    captioner = load_own()

    def means(part: Any) -> Any:
        with torch.inference_mode():
            batches = [torch.from_numpy(np.asarray(part[i : i + 64], np.float32)) for i in range(0, len(part), 64)]
            mean = np.concatenate([captioner.from_grid(b).mean(1).numpy() for b in batches])
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)

    return [texts[i] for i in (means(grids) @ means(train).T).argmax(axis=1)]


def captions(grids: Any, beams: int = 4) -> list[str]:
    """The own captioner's."""
    captioner, out = load_own(), []
    captioner.beams = beams
    with torch.inference_mode():
        for grid in grids:
            features = captioner.from_grid(torch.from_numpy(np.asarray(grid, np.float32))[None])
            out.append(captioner.caption(features, torch.ones(1, 49, dtype=torch.bool)))
    return out


def report_captions(args: Any, count: int | None) -> None:
    """All scores, one line a peer."""
    listed, grids = cd.features(args.data, args.features, "flickr8k", log=lambda facts: None)
    held = [i for i, p in enumerate(listed) if p.split == args.split][:count]
    train = [i for i, p in enumerate(listed) if p.split == "train"]
    references = [[cd.words(text) for text in listed[i].captions] for i in held]
    said = captions(grids[held])
    kept = None if count else args.features / f"minilm-{args.split}.npy"
    ours = judged([cd.words(text) for text in said], references, kept)
    first = [cd.words(listed[i].captions[0]) for i in train]
    common = commonest([cd.words(text) for i in train for text in listed[i].captions])
    peers = {
        f"commonest caption ({' '.join(common)})": judged([common] * len(held), references, kept),
        "nearest training picture": judged(nearest(grids[held], grids[train], first), references, kept),
        "human (first against the other four)": judged([r[0] for r in references], [r[1:] for r in references]),
    }
    for peer, scores in peers.items():
        for name, value in scores.items():
            emit("captioner", f"{name}, {len(held)} {args.split}", ours[name], "", peer, value)
    emit("captioner", "different captions", len(set(said)), "", "pictures", len(said))
    if args.samples:
        pairs = zip(held, said, strict=True)
        rows = [{"picture": listed[i].file, "own": s, "human": listed[i].captions} for i, s in pairs]
        args.samples.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def report_places(args: Any, count: int | None) -> None:
    """Things and places against COCO's boxes; the classifier saw names of most of these pictures, no places."""
    captioner = load_own()
    listed, grids = cd.features(args.data, args.features, "coco", log=lambda facts: None)
    boxes = cd.coco_boxes(args.data)
    hits: dict[str, list[list[bool]]] = {"development": [], "all": []}
    for picture, grid in list(zip(listed, grids, strict=True))[:count]:
        with torch.inference_mode():
            features = captioner.from_grid(torch.from_numpy(np.asarray(grid, np.float32))[None])
            cells = captioner.net.cell_scores(features)[0].numpy()
            named = captioner.placed(features, torch.ones(1, 49, dtype=torch.bool))
        centres: dict[str, list[tuple[float, float]]] = {}
        for name, centre in boxes.get(picture.name, []):
            centres.setdefault(thing(name) or name, []).append(centre)
        for name, _ in named if centres else ():
            at = centres.get(name, [])
            place = place_of(cells[:, captioner.names.index(name)]) or "centre"
            row = [bool(at), place in map(ninth, at), "centre" in map(ninth, at)]
            hits["all"].append(row)
            if picture.split == "dev":
                hits["development"].append(row)
    for part, rows in hits.items():
        if rows:
            known = np.array(rows)
            there = known[known[:, 0]]
            emit("things", f"{part}: named and annotated", 100 * float(known[:, 0].mean()), "%")
            emit("things", f"{part}: right ninth, {len(there)} things", 100 * float(there[:, 1].mean()), "%",
                 "always centre", 100 * float(there[:, 2].mean()))  # fmt: skip


def ninth(centre: tuple[float, float]) -> str:
    """The place word of a point (x, y) in [0, 1]."""
    scores = np.full((7, 7), -9.0)
    scores[min(6, int(7 * centre[1])), min(6, int(7 * centre[0]))] = 9.0
    return place_of(scores.reshape(-1))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/")
    parser.add_argument("--split", choices=("test", "dev"), default="test")
    parser.add_argument("--features", type=Path, default=Path("checkpoints/captioner/features"), help="cache")
    parser.add_argument("--samples", type=Path, help="write every caption here, a JSON line a picture")
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    report_captions(args, 60 if args.quick else None)
    report_places(args, 60 if args.quick else None)


if __name__ == "__main__":
    main()
