import numpy as np
import pytest

from semwave.runtime import ANY, Frames, Packet, Stream, Tag, frozen, text_of, text_packet
from semwave.runtime.packet import EMPTY, Anything, concatenate, meet


def test_packet_says_what_it_is() -> None:
    assert repr(Packet(np.zeros((3, 2), np.uint8), 7)) == "uint8[3,2]@7"


def test_with_data_keeps_place_tags_and_meta() -> None:
    packet = Packet(np.zeros(2), 5, (Tag(5, "frame", 2),), {"number": 1})
    other = packet.with_data(np.ones(3), snr_db=4.0)
    assert (other.start, other.tags, dict(other.meta)) == (5, packet.tags, {"number": 1, "snr_db": 4.0})
    assert dict(packet.meta) == {"number": 1}


def test_tag_finds_the_first() -> None:
    packet = Packet(np.zeros(4), 0, (Tag(1, "frame", 10), Tag(2, "frame", 20)))
    assert packet.tag("frame") == 10
    assert packet.tag("lost") is None
    assert packet.tag("lost", 0) == 0


def test_packets_share_no_meta() -> None:
    assert Packet(np.zeros(1)).meta is EMPTY
    with pytest.raises(TypeError):
        Packet(np.zeros(1)).meta["x"] = 1  # type: ignore[index]


def test_frozen_protects_without_a_copy() -> None:
    array = np.zeros(3)
    view = frozen(array)
    assert np.shares_memory(view, array)
    assert array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    assert frozen(view) is view


def test_text_survives() -> None:
    packet = text_packet("Grüße, 世界", number=3)
    assert packet.data.dtype == np.uint8
    assert (text_of(packet), packet.meta["number"]) == ("Grüße, 世界", 3)


def test_concatenate_joins_tags() -> None:
    a = Packet(np.arange(3), 10, (Tag(11, "a", 1),), {"m": 1})
    b = Packet(np.arange(2), 13, (Tag(14, "b", 2),))
    joined = concatenate([a, b])
    assert joined.data.tolist() == [0, 1, 2, 0, 1]
    assert (joined.start, joined.tags) == (10, (Tag(11, "a", 1), Tag(14, "b", 2)))
    assert concatenate([a]) is a


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (Stream(np.uint8), "Stream[uint8]"),
        (Stream(None), "Stream[any]"),
        (Stream(np.complex64, (4,), 1e6), "Stream[complex64, 4] at 1e+06/s"),
        (Frames(np.uint8, ("row", "column", 3)), "Frames[uint8, row, column, 3]"),
        (Frames(None, (), 25), "Frames[any] at 25/s"),
        (ANY, "anything"),
    ],
)
def test_specs_as_people_read_them(spec: object, text: str) -> None:
    assert str(spec) == text


@pytest.mark.parametrize(
    ("spec", "data", "problem"),
    [
        (Stream(np.uint8), np.zeros(3, np.uint8), None),
        (Stream(np.uint8), np.zeros(3, np.int8), "is int8, not uint8"),
        (Stream(np.uint8), np.zeros((3, 1), np.uint8), r"has shape [3, 1], not ['n']"),
        (Stream(np.uint8), np.uint8(3).reshape(()), r"has shape [], not ['n']"),
        (Stream(np.uint8, (2,)), np.zeros((3, 2), np.uint8), None),
        (Stream(np.uint8, (2,)), np.zeros((3, 4), np.uint8), "has shape [3, 4], not ['n', 2]"),
        (Stream(None), np.zeros(3), None),
        (Frames(np.float32, ("row", 3)), np.zeros((9, 3), np.float32), None),
        (Frames(np.float32, ("row", 3)), np.zeros((9, 4), np.float32), "has shape [9, 4], not ['row', 3]"),
        (Frames(np.float32, ("row", 3)), np.zeros(9, np.float32), "has shape [9], not ['row', 3]"),
        (Frames(np.float32, ("row", 3)), np.zeros((9, 3)), "is float64, not float32"),
        (ANY, np.zeros((1, 2, 3)), None),
    ],
)
def test_problem_with_data(spec: Stream, data: np.ndarray, problem: str | None) -> None:
    assert spec.problem(data) == problem


@pytest.mark.parametrize(
    ("given", "wanted", "met"),
    [
        (Stream(np.uint8), Stream(np.uint8), Stream(np.uint8)),
        (Stream(np.uint8), Stream(None), Stream(np.uint8)),
        (Stream(None), Stream(np.uint8), Stream(np.uint8)),
        (Stream(np.uint8), Stream(np.int8), None),
        (Stream(np.uint8), Frames(np.uint8, ("n",)), None),
        (Frames(np.uint8, ("n",)), Stream(np.uint8), None),
        (Stream(np.uint8, (2,)), Stream(None), Stream(np.uint8, (2,))),
        (Stream(np.uint8, (2,)), Stream(np.uint8), None),
        (Stream(np.uint8, (), 5.0), Stream(np.uint8), Stream(np.uint8, (), 5.0)),
        (Stream(np.uint8), Stream(np.uint8, (), 5.0), Stream(np.uint8, (), 5.0)),
        (Stream(np.uint8, (), 4.0), Stream(np.uint8, (), 5.0), None),
        (Frames(np.uint8, ("row", "column")), Frames(np.uint8, ("y", 8)), Frames(np.uint8, ("row", 8))),
        (Frames(np.uint8, (4, 8)), Frames(np.uint8, ("y", "x")), Frames(np.uint8, (4, 8))),
        (Frames(np.uint8, (4,)), Frames(np.uint8, (5,)), None),
        (Frames(np.uint8, (4,)), Frames(np.uint8, (4, 1)), None),
        (Stream(np.uint8), ANY, Stream(np.uint8)),
        (ANY, Frames(np.uint8, ("n",)), Frames(np.uint8, ("n",))),
        (ANY, ANY, Anything()),
    ],
)
def test_meet(given: Stream, wanted: Stream, met: Stream | None) -> None:
    assert meet(given, wanted) == met
