# %% right: careful, counts the starts of the windows
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    span = dilation * (kernel - 1) + 1          # pixels from the first to the last weight
    return len(range(0, size + 2 * padding - span + 1, stride))

# %% wrong: It rounds up, so what is left over at the end gets a window of its own (size 6, kernel 3, stride 2 gives 3 instead of 2).
import math

def output_size(size, kernel, stride=1, padding=0, dilation=1):
    effective = (kernel - 1) * dilation + 1
    return math.ceil((size + 2 * padding - effective) / stride) + 1

# %% wrong: With dilation the kernel is taken to be kernel * dilation pixels long, while it spans dilation * (kernel - 1) + 1; a 3 with dilation 2 spans 5 and not 6.
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    k = kernel * dilation
    return (size - k + 2 * padding) // stride + 1
