"""What all tests share."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Kernels and grading processes started by a test import the course from this checkout.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
sys.path.insert(0, str(ROOT))
