"""How good a picture is: PSNR, SSIM, MS-SSIM, VSI, LPIPS, DISTS; whole or inside a mask; batch or single.

All are called ``(x, y, mask=None)``: tensors [B, C, H, W] (or [C, H, W]) with values in [0, 1] give a tensor [B] (or a
scalar) to differentiate; NumPy pictures [rows, columns(, 3)] with values 0..255 give a float. docs/metrics.md defines
them and says how they were checked. `hallucination` takes NumPy pictures only.
"""

from semwave.bench.metrics.objects import hallucination
from semwave.bench.metrics.perceptual import lpips
from semwave.bench.metrics.saliency import vsi, vsi_authors
from semwave.bench.metrics.structure import ms_ssim, ms_ssim_product, psnr, ssim
from semwave.bench.metrics.texture import dists

__all__ = ["dists", "hallucination", "lpips", "ms_ssim", "ms_ssim_product", "psnr", "ssim", "vsi", "vsi_authors"]
