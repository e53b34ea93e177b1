"""Make the helpers beside this file (``jig``, ``parts``) importable from every test folder."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
