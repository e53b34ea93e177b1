"""Make src/semwave/models/vocabulary.py: words and phrases of captions with their frequencies.

    python training/prompt_words.py --data DIR --out src/semwave/models/vocabulary.py

Counts come from Flickr8k's training captions and Visual7W's training answers. Phrases are the word pairs (of words
or earlier phrases) whose joining saves most bits, chosen anew in each round after parsing the text with what is there.
"""

from __future__ import annotations

import argparse
import re
import textwrap
import zipfile
from collections import Counter
from itertools import pairwise
from math import log2
from pathlib import Path

WORDS, PHRASES, ROUNDS, LEAST = 1800, 900, 6, 4
TOTAL = 1 << 16


def sentences(data: Path) -> list[list[str]]:
    """Lower-case words of each training sentence; None of the punctuation."""
    with zipfile.ZipFile(data / "research/captions_text.zip") as archive:
        train = {n.strip() for n in archive.read("text/Flickr_8k.trainImages.txt").decode().splitlines()}
        lines = archive.read("text/Flickr8k.token.txt").decode().splitlines()
        captions = [line.split("\t")[1] for line in lines if line.split("#")[0] in train]
        answers = archive.read("text/v7w.TrainImages.txt").decode().splitlines()
    captions += [line.split("\t")[2].split("|")[0] for line in answers if line.count("\t") >= 2]
    return [words for text in captions if (words := re.findall("[a-z]+", text.lower()))]


def parse(words: list[str], cost: dict[str, float]) -> list[str]:
    """Cheapest split of ``words`` into entries of ``cost``; unknown words cost 40 bits."""
    best: list[tuple[float, list[str]]] = [(0.0, [])]
    for end in range(1, len(words) + 1):
        options = []
        for start in range(max(0, end - 4), end):
            entry = " ".join(words[start:end])
            if entry in cost or start == end - 1:
                options.append((best[start][0] + cost.get(entry, 40.0), start, entry))
        price, start, entry = min(options)
        best.append((price, [*best[start][1], entry]))
    return best[-1][1]


def build(texts: list[list[str]]) -> Counter[str]:
    """Counts of the chosen words and phrases in the final parse."""
    counts = Counter(word for words in texts for word in words)
    chosen = Counter(dict(counts.most_common(WORDS)))
    for round_ in range(ROUNDS):
        total = sum(chosen.values())
        cost = {entry: log2(total / count) for entry, count in chosen.items()}
        parsed = [parse(words, cost) for words in texts]
        used = Counter(entry for entries in parsed for entry in entries if entry in chosen)
        if round_ == ROUNDS - 1:
            return Counter({e: c for e, c in used.items() if c >= LEAST})
        pairs = Counter(pair for entries in parsed for pair in pairwise(entries))
        gain = {
            " ".join(pair): count * (cost[pair[0]] + cost[pair[1]] - log2(total / count))
            for pair, count in pairs.items()
            if pair[0] in cost and pair[1] in cost and len(" ".join(pair).split()) <= 4
        }
        phrases = Counter({e: c for e, c in used.items() if " " in e})
        room = PHRASES * (round_ + 1) // (ROUNDS - 1) - len(phrases)
        for entry in sorted(gain, key=lambda e: -gain[e])[: max(room, 0)]:
            used[entry] = pairs[tuple(split)] if (split := entry.split()) and len(split) == 2 else LEAST * 4
        chosen = Counter({e: max(c, LEAST) for e, c in used.items()})
    return chosen


def write(counts: Counter[str], out: Path) -> None:
    """One paragraph per half octave of frequency, words of a phrase joined by _."""
    total = sum(counts.values())
    classes: dict[int, list[str]] = {}
    for entry in sorted(counts):
        classes.setdefault(round(2 * log2(counts[entry] / total * TOTAL * 4)), []).append(entry)
    lines = []
    for level in sorted(classes, reverse=True):
        entries = " ".join(entry.replace(" ", "_") for entry in classes[level])
        lines += textwrap.wrap(f"{max(1, round(2 ** (level / 2)))}: {entries}", 108, break_on_hyphens=False)
    out.write_text(HEAD + "\n".join(lines) + '\n"""\n')


HEAD = '''"""Words and phrases of captions with their frequencies; written by training/prompt_words.py, not by hand.

Counts of Flickr8k's training captions and Visual7W's training answers, to half an octave: the frequency, a colon,
then entries, the words of a phrase joined by _.
"""

ENTRIES = """
'''


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    write(build(sentences(args.data)), args.out)


if __name__ == "__main__":
    main()
