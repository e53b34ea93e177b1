"""Key regions over the frames of a video: importance follows the motion and settles, so that masks do not flicker.

smoothed = a * moved + (1 - a) * present, with ``moved`` the last smoothed importance carried along the motion, and
a = ``strength`` * exp(-residual / 0.05): where the motion does not explain the frame, the present counts alone. Motion
is found per pixel of a thumbnail by block matching. A picture of another size, or one that the motion explains nowhere
near, begins a new scene.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semwave.models.segment.references import resize
from semwave.models.segment.regions import Importance, Picture

_SIDE = 96  # longer side of the thumbnails
_SEARCH = 6  # pixels of them that things move at most from frame to frame
_WINDOW = 9  # side of the blocks that are matched
_STILL = 0.004  # how much better than standing still a motion must be, per pixel of distance
_TRUST = 0.05
_CUT = 1.0  # another scene: what motion leaves is more than this share of the texture, and not just noise
_NOISE = 0.025


class Tracker:
    """State from frame to frame; ``see`` each picture, then ``smooth`` its importance."""

    def __init__(self, strength: float) -> None:
        if not 0.0 <= strength <= 1.0:
            raise ValueError(f"strength must be in [0, 1], not {strength}")
        self.strength = strength
        self._shape: tuple[int, ...] = ()
        self._thumbnail: Importance | None = None
        self._smoothed: Importance | None = None  # of the last frame
        self._moved: Importance | None = None  # the same where this frame has it
        self._trust: Importance | None = None

    def see(self, image: Picture) -> tuple[float, float] | None:
        """Compare with the frame before: how far the key region moved, down and right, as shares of the picture.

        None at the start of a scene. uint8 [H, W, 3].
        """
        before, last, shape = self._thumbnail, self._smoothed, self._shape
        self._thumbnail, self._shape, self._moved = _thumbnail(image), image.shape, None
        if before is None or last is None or shape != image.shape:
            return None
        down, right, residual = motion(before, self._thumbnail)
        if _is_cut(residual, self._thumbnail):
            return None
        rows, columns = self._thumbnail.shape
        y, x = np.mgrid[:rows, :columns]
        self._moved = last[np.clip(y - down, 0, rows - 1), np.clip(x - right, 0, columns - 1)]
        self._trust = np.exp(-residual / _TRUST).astype(np.float32)
        region = self._moved >= 0.5 * self._moved.max()
        return float(np.mean(down[region])) / rows, float(np.mean(right[region])) / columns

    def smooth(self, importance: Importance) -> Importance:
        """The importance of the picture just seen, settled: float32 [H, W] -> float32 [H, W]."""
        if self._thumbnail is None:
            raise ValueError("see the picture before its importance is smoothed")
        present = resize(importance, self._thumbnail.shape)
        if self._moved is None or self._trust is None:
            self._smoothed = present
            return importance
        share = self.strength * self._trust
        self._smoothed = (share * self._moved + (1 - share) * present).astype(np.float32)
        change = Image.fromarray(self._smoothed - present).resize(importance.shape[::-1], Image.Resampling.BILINEAR)
        return np.clip(importance + np.asarray(change, np.float32), 0, 1)


def motion(before: Importance, now: Importance) -> tuple[NDArray[np.int64], NDArray[np.int64], Importance]:
    """How far each pixel came, down and right, and what is left: [h, w], [h, w] -> three times [h, w].

    The motion with the least mean absolute difference in a window, small ones preferred.
    """
    from scipy.ndimage import uniform_filter

    best = np.full(now.shape, np.inf, np.float32)
    down, right = np.zeros(now.shape, np.int64), np.zeros(now.shape, np.int64)
    residual = np.zeros(now.shape, np.float32)
    reach = min(_SEARCH, *(n - 1 for n in now.shape))
    wide = np.pad(before, reach, mode="edge")
    shifts = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    for dy, dx in sorted(shifts, key=lambda shift: shift[0] ** 2 + shift[1] ** 2):
        there = wide[reach - dy :, reach - dx :][: now.shape[0], : now.shape[1]]
        left = uniform_filter(np.abs(now - there), _WINDOW, mode="nearest")
        cost = left + _STILL * np.hypot(dy, dx)
        better = cost < best
        best[better], down[better], right[better], residual[better] = cost[better], dy, dx, left[better]
    return down, right, residual


def _is_cut(residual: Importance, now: Importance) -> bool:
    from scipy.ndimage import uniform_filter

    texture = float(np.abs(now - uniform_filter(now, _WINDOW, mode="nearest")).mean())
    return bool(residual.mean() > max(_NOISE, _CUT * texture))


def _thumbnail(image: Picture) -> Importance:
    """Luma in [0, 1]."""
    scale = min(1.0, _SIDE / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = Image.fromarray(image).resize(size, Image.Resampling.BOX).convert("L")
    grey: Importance = np.asarray(small, np.float32) / np.float32(255)
    return grey
