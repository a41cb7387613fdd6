# %% right: counts the first pixels of the windows with range, no formula
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = (kernel - 1) * dilation + 1  # pixels from a window's first weight to its last
    last_start = size + 2 * padding - span
    return len(range(0, last_start + 1, stride))


# %% wrong: [two] first padding is counted once instead of at both ends; second true division gives a float, and a fraction for what is left over
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + padding - dilation * (kernel - 1) - 1) / stride + 1


# %% wrong: takes the dilated kernel to span dilation * kernel pixels instead of dilation * (kernel - 1) + 1
def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    effective = kernel * dilation
    padded = size + 2 * padding
    return (padded - effective) // stride + 1
