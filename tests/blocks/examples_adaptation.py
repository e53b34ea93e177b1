"""Example for the jig of the link that adapts itself."""

import sys
from pathlib import Path

from jig import Example, frames

sys.path.insert(0, str(Path(__file__).parent))
import examples_link as link

EXAMPLES = [
    Example(
        "LinkAdapter",
        {
            "segmenter": "spectral",
            "caption": "off",
            "sketch_bytes": 16,
            "codec": "webp",
            "cbr": 0.3,
            "snr_db": 15.0,
            "feedback_loss": 0.3,
        },
        {"image": frames(*link.PICTURES[:2])},
        slow=True,
    ),
    Example(
        "LinkAdapter",
        {
            "segmenter": "spectral",
            "caption": "off",
            "sketch_bytes": 16,
            "codec": "jscc",
            "key_model": "linear",
            "cbr": 2.0,
            "snr_db": 20.0,
        },
        {"image": frames(link.PICTURES[0])},
        slow=True,
    ),
]
