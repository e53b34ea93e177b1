"""What all tests share: the helpers beside this file (``jig``, ``parts``), and how hypothesis draws."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.append(str(Path(__file__).parent))

# kernels compile on first use, so no deadline; the same examples on every machine, so that a failure is one everywhere
settings.register_profile("semwave", deadline=None, derandomize=True)
settings.load_profile("semwave")
