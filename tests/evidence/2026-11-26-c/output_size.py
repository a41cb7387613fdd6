# %% right: runs a convolution layer and reads the length of what comes out
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    layer = nn.Conv1d(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
    return layer(torch.zeros(1, 1, size)).shape[-1]


# %% right: moves a window along until it no longer fits
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    count, first = 0, -padding
    while first + dilation * (kernel - 1) < size + padding:
        count += 1
        first += stride
    return count


# %% wrong: rounds up, so what is left over gets a window
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    reach = dilation * (kernel - 1) + 1
    return int(np.ceil((size + 2 * padding - reach) / stride)) + 1


# %% wrong: the padding is counted once, not at both ends
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    effective_kernel = dilation * (kernel - 1) + 1
    padded_size = size + padding
    return (padded_size - effective_kernel) // stride + 1


# %% wrong: the first window is forgotten: no + 1
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride


# %% wrong: dilation widens the kernel once instead of at every gap: kernel + dilation - 1
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    k = kernel + (dilation - 1)
    return 1 + (size - k + 2 * padding) // stride


# %% wrong: the + 1 is added before the division, so it is lost with a stride
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = (kernel - 1) * dilation + 1
    return (size + 2 * padding - span + 1) // stride


# %% wrong: range stops before the last place, so a last window that just fits is missing
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    total = size + 2 * padding
    span = dilation * (kernel - 1) + 1
    return sum(1 for start in range(0, total - span, stride))


# %% wrong: rounds to the nearest whole number instead of down
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    places = size + 2 * padding - dilation * (kernel - 1) - 1
    return round(places / stride + 1)


# %% wrong: the formula of the transposed convolution, which enlarges
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1


# %% wrong: [two] first the dilation is ignored; second the default of padding is taken to keep the size
def output_size(size, kernel, stride=1, padding=None, dilation=1):
    if padding is None:
        padding = kernel // 2
    return (size + 2 * padding - kernel) // stride + 1


# %% wrong: [two] first the size is taken for that of a padding that keeps it, whatever the padding; second it rounds up
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return -(-size // stride)
