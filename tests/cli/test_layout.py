"""Where the boxes and lines of a drawing go, for graphs of every shape."""

import math
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semwave.commands._diagram import Diagram, Link, Node
from semwave.commands._layout import COLUMNS
from semwave.commands._ranks import crossings, layered, ranks
from semwave.commands._wires import arrange


def diagram(count: int, pairs) -> Diagram:
    nodes = [Node(f"n{i}", "N", "plain") for i in range(count)]
    return Diagram(
        "d", nodes, [Link(f"n{a}", f"n{b}", f"o{k % 2}", f"i{k}", "uint8") for k, (a, b) in enumerate(pairs)]
    )


@st.composite
def graphs(draw):
    """Graphs without a loop: links go from a lower number to a higher one."""
    count = draw(st.integers(1, 14))
    every = list(combinations(range(count), 2))
    pairs = draw(st.lists(st.sampled_from(every), max_size=24)) if every else []
    heights = draw(st.lists(st.floats(0.3, 1.5), min_size=count, max_size=count))
    return diagram(count, pairs), {f"n{i}": h for i, h in enumerate(heights)}


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_boxes_do_not_touch_and_lines_are_right_angled(case):
    drawn, heights = case
    layout = arrange(drawn, heights, 1.2, 1.0)
    boxes = layout.boxes
    for a, b in combinations(boxes.values(), 2):
        apart_x = max(a.x, b.x) - min(a.x + a.width, b.x + b.width)
        apart_y = max(a.y, b.y) - min(a.y + a.height, b.y + b.height)
        assert max(apart_x, apart_y) > 0.1
    for i, (link, line) in enumerate(zip(drawn.links, layout.lines, strict=True)):
        source, target = boxes[link.source], boxes[link.target]
        if i in layout.far:
            assert source.row != target.row
            assert len(line) == 2
        else:
            assert math.isclose(line[0][0], source.x + source.width)
            assert source.y <= line[0][1] <= source.y + source.height
        assert math.isclose(line[-1][0], target.x)
        assert target.y <= line[-1][1] <= target.y + target.height
        assert all(abs(x1 - x2) < 1e-6 or abs(y1 - y2) < 1e-6 for (x1, y1), (x2, y2) in pairwise(line))
        assert line[-2][0] < line[-1][0]  # arrives from the left
        inside = [0 <= x <= layout.width + 1e-6 and 0 <= y <= layout.height + 0.6 for x, y in line]
        assert all(inside)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_line_goes_through_a_box(case):
    drawn, heights = case
    layout = arrange(drawn, heights, 1.2, 1.0)
    for line in layout.lines:
        for (x1, y1), (x2, y2) in pairwise(line):
            for box in layout.boxes.values():
                meets_x = min(x1, x2) < box.x + box.width - 1e-6 and max(x1, x2) > box.x + 1e-6
                meets_y = min(y1, y2) < box.y + box.height - 1e-6 and max(y1, y2) > box.y + 1e-6
                assert not (meets_x and meets_y)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_links_go_from_a_rank_to_a_later_one(case):
    rank = ranks(case[0])
    assert all(rank[link.source] < rank[link.target] for link in case[0].links)
    assert min(rank.values()) == 0


def test_a_source_stands_before_the_block_that_it_feeds():
    rank = ranks(diagram(5, [(0, 1), (1, 2), (2, 3), (4, 3)]))
    assert [rank[f"n{i}"] for i in range(5)] == [0, 1, 2, 3, 2]


def test_crossings_are_taken_out():
    crossed = diagram(6, [(0, 5), (1, 4), (2, 3)])  # as declared, all three cross
    assert crossings(layered(crossed)) == 0


@pytest.mark.parametrize("count", [1, 5, 6, 11, 23])
def test_rows_are_balanced(count):
    drawn = diagram(count, [(i, i + 1) for i in range(count - 1)])
    rows = [
        box.row for box in arrange(drawn, dict.fromkeys((n.name for n in drawn.nodes), 0.5), 1.2, 1.0).boxes.values()
    ]
    assert max(rows) + 1 == math.ceil(count / COLUMNS)
    assert max(rows.count(r) for r in set(rows)) <= COLUMNS


def test_a_chain_is_straight():
    drawn = diagram(5, [(i, i + 1) for i in range(4)])
    layout = arrange(drawn, {"n0": 0.5, "n1": 1.4, "n2": 0.5, "n3": 0.9, "n4": 0.3}, 1.2, 1.0)
    assert {round(y, 6) for line in layout.lines for _, y in line} == {round(layout.lines[0][0][1], 6)}


def test_links_to_another_row_are_named_at_both_ends():
    drawn = diagram(12, [(i, i + 1) for i in range(11)])
    drawn.links += [Link("n0", "n11", "o0", "far", "uint8"), Link("n1", "n11", "own", "away", "uint8")]
    layout = arrange(drawn, {n.name: 0.5 for n in drawn.nodes}, 1.2, 1.0)
    assert layout.far == {11, 12}
    assert [text for _, text in layout.stubs] == ["own, to n11"]  # o0 has a line to n1 already
    (x, y), _ = layout.stubs[0]
    box = layout.boxes["n1"]
    assert math.isclose(x, box.x + box.width)
    assert box.y < y < box.y + box.height


def test_a_link_from_the_end_of_a_row_to_the_next_is_drawn():
    drawn = diagram(8, [(i, i + 1) for i in range(7)])
    layout = arrange(drawn, {n.name: 0.5 for n in drawn.nodes}, 1.2, 1.0)
    assert layout.far == set()
    assert [len(line) for line in layout.lines] == [2, 2, 2, 6, 2, 2, 2]
