"""Learn the initial probabilities of the mask coder from key masks of the training pictures; prints the literal.

    python training/maskcode.py --data DIR

The masks are the true ones and those of the tiny segmenter, each as it is, mirrored and turned, at three budgets.
Then the mean length of the development pictures' masks, in bits, is printed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import segmenter_data as sd

from semwave.models import maskcode
from semwave.models.segment import Mask, key_mask, load_segmenter

BLOCK = 16


def masks(data: Path, development: bool, budgets: tuple[float, ...]) -> dict[str, list[Mask]]:
    """Key masks of pictures brought to about 512 x 384, by where the importance came from."""
    segmenter = load_segmenter("tiny")
    result: dict[str, list[Mask]] = {"true": [], "tiny": []}
    for example in sd.coco_examples(data, development):
        scale = (512 * 384 / (example.image.width * example.image.height)) ** 0.5
        size = (round(example.image.width * scale), round(example.image.height * scale))
        true = np.asarray(example.mask.resize(size), np.float32) / 255
        tiny = segmenter.importance([np.asarray(example.image.resize(size))])[0]
        for budget in budgets:
            result["true"].append(key_mask(true, budget, BLOCK))
            result["tiny"].append(key_mask(tiny, budget, BLOCK))
    return result


def learn(all_masks: list[Mask]) -> bytes:
    counts = np.full((2, 256), 0.4)
    for mask in all_masks:
        for view in (mask, mask[:, ::-1], mask.T, mask[::-1]):
            rows, cols = view.shape
            wide = np.pad(view.astype(np.int64), 2)
            contexts = np.zeros(view.shape, np.int64)
            for bit, (down, right) in enumerate(maskcode._CELLS_BEFORE):
                contexts |= wide[2 + down : 2 + down + rows, 2 + right : 2 + right + cols] << bit
            for value in (0, 1):
                counts[value] += np.bincount(contexts[view == value], minlength=256)
    return bytes(np.clip(np.rint(256 * counts[1] / counts.sum(0)), 1, 255).astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with clean/ and research/ zip files")
    args = parser.parse_args()
    training = masks(args.data, False, (0.2, 0.35, 0.5))
    table = learn(training["true"] + training["tiny"])
    print("_INITIAL = bytes.fromhex(")
    for start in range(0, len(table), 48):
        print(f'    "{table[start : start + 48].hex()}"')
    print(")")
    maskcode._INITIAL = table
    for kind, found in masks(args.data, True, (0.35,)).items():
        bits = [8 * len(maskcode.encode_mask(mask)) for mask in found]
        print(f"# {kind}: {np.mean(bits):.1f} bits a mask, at most {max(bits)}, {len(bits)} masks")


if __name__ == "__main__":
    main()
