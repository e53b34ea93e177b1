from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jig import cut

from semwave.runtime import Cutter, Packet, Tag


def framed(plan: list[tuple[int, int]]) -> Packet:
    """``(gap, size)`` pairs as one stream: gaps hold -1, frames count up; every item of a frame's middle is tagged."""
    data: list[int] = []
    tags: list[Tag] = []
    for number, (gap, size) in enumerate(plan):
        data += [-1] * gap
        tags.append(Tag(len(data), "frame", size))
        if size > 2:
            tags.append(Tag(len(data) + 1, "label", f"inside {number}"))
        data += range(size)
    return Packet(np.array(data, np.int64), 0, tuple(tags))


def push_all(cutter: Cutter, pieces: list[Packet]) -> Iterator[Packet]:
    for piece in pieces:
        yield from cutter.push(piece)


PLANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), min_size=1, max_size=12)


@given(plan=PLANS, sizes=st.lists(st.integers(1, 17), min_size=1), start=st.integers(0, 1 << 40))
@settings(max_examples=150, deadline=None)
def test_any_cuts_give_the_same_frames(plan: list[tuple[int, int]], sizes: list[int], start: int) -> None:
    whole = framed(plan)
    whole = Packet(whole.data, start, tuple(t._replace(at=t.at + start) for t in whole.tags), {"scene": 1})
    pieces = cut(whole, (sizes[i % len(sizes)] for i in range(1 << 20)))
    assert sum(len(p.data) for p in pieces) == len(whole.data)
    cutter = Cutter("frame")
    found = list(push_all(cutter, pieces))
    assert [f.data.tolist() for f in found] == [list(range(size)) for _, size in plan]
    assert [f.start for f in found] == list(range(len(plan)))
    assert [f.meta["frame"] for f in found] == [size for _, size in plan]
    at = np.cumsum([g + s for g, s in plan]) - [s for _, s in plan] + start
    assert [f.meta["at"] for f in found] == at.tolist()
    labels = [(Tag(1, "label", f"inside {i}"),) if s > 2 else () for i, (_, s) in enumerate(plan)]
    assert [f.meta["tags"] for f in found] == labels
    assert all(f.meta["scene"] == 1 and not f.data.flags.writeable for f in found)
    assert cutter.skipped == sum(gap for gap, _ in plan)
    assert cutter.finish() is None


@given(plan=PLANS, keep=st.integers(1, 300), size=st.integers(1, 40))
@settings(max_examples=80, deadline=None)
def test_what_is_left_comes_out_truncated(plan: list[tuple[int, int]], keep: int, size: int) -> None:
    whole = framed(plan)
    keep = min(keep, len(whole.data))
    part = Packet(whole.data[:keep], 0, tuple(t for t in whole.tags if t.at < keep))
    cutter = Cutter("frame")
    found = list(push_all(cutter, cut(part, [size] * len(part.data))))
    begun = [t for t in part.tags if t.key == "frame"]
    done = [t for t in begun if t.at + t.value <= keep]
    assert len(found) == len(done)
    rest = cutter.finish()
    if len(begun) == len(done):
        assert rest is None
    else:
        assert rest is not None
        assert rest.meta["truncated"] is True
        assert rest.data.tolist() == list(range(keep - begun[-1].at))


def test_length_can_be_a_function_of_the_tag() -> None:
    cutter = Cutter("burst", length=lambda symbols: symbols * 5)
    frames = list(cutter.push(Packet(np.arange(20), 0, (Tag(2, "burst", 3), Tag(17, "burst", 1)))))
    assert [f.data.tolist() for f in frames] == [list(range(2, 17))]
    assert cutter.skipped == 2
    assert [f.data.tolist() for f in cutter.push(Packet(np.arange(20, 30), 20))] == [list(range(17, 22))]
    assert cutter.skipped == 10


def test_no_tag_no_frames_nothing_kept() -> None:
    cutter = Cutter()
    assert list(cutter.push(Packet(np.arange(1000)))) == []
    assert (cutter.skipped, cutter.finish()) == (1000, None)


def test_an_empty_frame_is_a_frame() -> None:
    cutter = Cutter()
    frames = list(cutter.push(Packet(np.arange(4), 0, (Tag(1, "frame", 0), Tag(2, "frame", 2)))))
    assert [f.data.tolist() for f in frames] == [[], [2, 3]]
    assert frames[0].data.dtype == np.int64


def test_a_frame_that_starts_within_another_waits_its_turn() -> None:
    """The first frame's items are its own; what is left of the second is not made up."""
    cutter = Cutter()
    frames = list(cutter.push(Packet(np.arange(10), 0, (Tag(0, "frame", 6), Tag(4, "frame", 3)))))
    assert [f.data.tolist() for f in frames] == [[0, 1, 2, 3, 4, 5]]
    assert [(t.at, t.key) for t in frames[0].meta["tags"]] == [(4, "frame")]


@pytest.mark.parametrize("size", [-1, 1001])
def test_impossible_lengths_are_refused(size: int) -> None:
    cutter = Cutter("frame", limit=1000)
    with pytest.raises(ValueError, match=rf"tag frame at 12 gives a frame of {size} items; 0 to 1000 can be held"):
        list(cutter.push(Packet(np.arange(10), 10, (Tag(12, "frame", size),))))
