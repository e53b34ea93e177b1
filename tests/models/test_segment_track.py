"""Regions over frames: they follow the motion, settle, and begin anew with a new scene."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from semwave.models.segment.track import Tracker, motion

RNG = np.random.default_rng(3)
SCENE = (gaussian_filter(RNG.normal(size=(160, 200)), 3) * 400 + 128).clip(0, 255).astype(np.uint8)
OTHER = (gaussian_filter(RNG.normal(size=(160, 200)), 3) * 400 + 128).clip(0, 255).astype(np.uint8)


def frame(top: int, left: int, scene: np.ndarray = SCENE) -> np.ndarray:
    return np.repeat(scene[top : top + 72, left : left + 96, None], 3, axis=2)


def importance(top: int, left: int, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    """A square that lies at (60, 60) of the scene."""
    values = np.zeros((160, 200), np.float32)
    values[60:90, 60:100] = 1.0
    part = values[top : top + 72, left : left + 96]
    part = part + noise * np.random.default_rng(seed).normal(size=part.shape)
    return part.clip(0, 1).astype(np.float32)


def test_motion_finds_a_shift():
    before, now = (frame(*at)[..., 0] / np.float32(255) for at in ((30, 40), (27, 36)))
    down, right, left = motion(before, now)
    assert (down[8:-8, 8:-8] == 3).mean() > 0.98
    assert (right[8:-8, 8:-8] == 4).mean() > 0.98
    assert left[8:-8, 8:-8].mean() < 0.01


def test_the_region_is_carried_along():
    tracker = Tracker(0.9)
    assert tracker.see(frame(30, 40)) is None
    assert np.array_equal(tracker.smooth(importance(30, 40)), importance(30, 40))
    moved = tracker.see(frame(27, 36))
    assert moved == pytest.approx((3 / 72, 4 / 96), abs=0.004)
    found = tracker.smooth(np.zeros((72, 96), np.float32))  # the model lost it for a frame
    truth = importance(27, 36) > 0.5
    assert found[truth].mean() > 0.7
    assert found[~truth].mean() < 0.05


def test_noise_settles():
    rough, smooth, tracker = [], [], Tracker(0.8)
    for number in range(8):
        tracker.see(frame(30, 40))
        rough.append(importance(30, 40, 0.3, number))
        smooth.append(tracker.smooth(rough[-1]))
    change = [np.abs(np.diff(np.array(maps)[2:], axis=0)).mean() for maps in (rough, smooth)]
    assert change[1] < 0.4 * change[0]


@pytest.mark.parametrize("second", [frame(30, 40, OTHER), frame(30, 40)[:60]], ids=["cut", "size"])
def test_a_new_scene_begins_anew(second):
    tracker = Tracker(1.0)
    tracker.see(frame(30, 40))
    tracker.smooth(importance(30, 40))
    assert tracker.see(second) is None
    present = np.full(second.shape[:2], 0.25, np.float32)
    assert np.array_equal(tracker.smooth(present), present)


def test_strength_nought_changes_nothing():
    tracker = Tracker(0.0)
    for at in ((30, 40), (27, 36)):
        tracker.see(frame(*at))
        assert np.allclose(tracker.smooth(importance(*at)), importance(*at), atol=1e-6)


def test_one_pixel_and_bad_arguments():
    tracker = Tracker(0.5)
    for _ in range(2):
        tracker.see(np.zeros((1, 1, 3), np.uint8))
        assert tracker.smooth(np.ones((1, 1), np.float32)).tolist() == [[1.0]]
    with pytest.raises(ValueError, match=r"strength must be in \[0, 1\], not 1.5"):
        Tracker(1.5)
    with pytest.raises(ValueError, match="see the picture before"):
        Tracker(0.5).smooth(np.ones((2, 2), np.float32))
