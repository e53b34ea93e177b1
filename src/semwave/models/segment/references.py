"""What a trained segmenter has to beat: a spectral residual, and a guess at the centre. Nothing here is trained."""

import numpy as np
from PIL import Image

from semwave.models.segment.regions import Importance, Picture

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def spectral_residual(image: Picture) -> Importance:
    """Spectral-residual saliency (Hou and Zhang 2007) at 64 pixels; 0.5 is their threshold, three times the mean.

    R = log A - mean3x3(log A); S = |IFFT(exp(R + i P))|^2, smoothed. uint8 [H, W, 3] -> float32 [H, W].
    """
    from scipy.ndimage import gaussian_filter, uniform_filter

    height, width = image.shape[:2]
    scale = 64 / max(height, width)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = np.asarray(Image.fromarray(image).resize(small, Image.Resampling.BOX), np.float32) @ _LUMA
    spectrum = np.fft.fft2(grey)
    log_amplitude = np.log(np.abs(spectrum) + 1e-6)
    residual = log_amplitude - uniform_filter(log_amplitude, 3, mode="wrap")
    saliency = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    saliency = gaussian_filter(saliency, 2.5)
    return resize(np.clip(saliency / (6 * saliency.mean()), 0, 1).astype(np.float32), (height, width))


def centre_prior(image: Picture) -> Importance:
    """A Gaussian in the middle, whatever is there: uint8 [H, W, 3] -> float32 [H, W]."""
    y, x = (np.linspace(-1 + 1 / n, 1 - 1 / n, n, dtype=np.float32) for n in image.shape[:2])
    importance: Importance = np.exp(-1.5 * (y[:, None] ** 2 + x[None, :] ** 2)).astype(np.float32)
    return importance


def resize(values: Importance, shape: tuple[int, ...]) -> Importance:
    """Bilinear, clipped to [0, 1]: [h, w] -> [H, W]."""
    picture = Image.fromarray(values).resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(picture, np.float32), 0.0, 1.0)
