# %% right: counts the starting places of the windows with len(range(...))
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    reach = (kernel - 1) * dilation            # from the first weight to the last
    last_start = size + 2 * padding - 1 - reach
    return len(range(0, last_start + 1, stride))

# %% wrong: the dilated kernel is taken as dilation * kernel pixels long instead of dilation * (kernel - 1) + 1, so it is too long for every dilation above 1
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    effective_kernel = kernel * dilation
    free = size + 2 * padding - effective_kernel
    return max(0, free // stride + 1)

# %% wrong: the + 1 stands inside the floor division (Keras' formula needs a ceil there), so with stride > 1 a window is often missing: 5, kernel 3, stride 2 gives 1 instead of 2
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    # "valid": (n - k + 1) / s
    k_eff = dilation * (kernel - 1) + 1
    n = size + padding + padding
    return max(0, (n - k_eff + 1) // stride)

# %% wrong: padding is added once instead of at each end
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = 1 + dilation * (kernel - 1)
    total = size + padding
    windows = 0
    start = 0
    while start + span <= total:
        windows += 1
        start += stride
    return windows
