"""What all tests share: the helpers beside this file (``jig``, ``parts``), and how hypothesis draws."""

import os
import sys
from pathlib import Path

from hypothesis import settings

# tests run side by side, a process a core: threads inside each would wait for one another (read when torch loads)
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.append(str(Path(__file__).parent))

# kernels compile on first use, so no deadline; the same examples on every machine, so that a failure is one everywhere
settings.register_profile("semwave", deadline=None, derandomize=True)
settings.load_profile("semwave")
