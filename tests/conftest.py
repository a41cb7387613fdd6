"""What all tests share."""

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[1]

# Kernels and grading processes started by a test import the course from this checkout.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
sys.path.insert(0, str(ROOT))

# The same cases in every run: a submission is not to fail by chance. `--hypothesis-profile=default` draws new ones.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")
