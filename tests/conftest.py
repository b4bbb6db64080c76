"""Puts tests/ on the path, so that oracles and known answers are imported the same way everywhere."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
