"""What the tests of the reference share."""

import torch
from hypothesis import strategies as st

SEEDS = st.integers(0, 2**31 - 1)


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
