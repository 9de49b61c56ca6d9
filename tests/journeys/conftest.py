"""Journeys: the whole app over a still cluster, driven by keys."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
