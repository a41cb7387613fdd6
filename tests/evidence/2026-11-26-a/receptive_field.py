# %% right: from the last layer back to the input
def receptive_field(layers):
    pixels = 1
    for kernel, stride in reversed(layers):
        pixels = (pixels - 1) * stride + kernel
    return pixels


# %% wrong: multiplies the jump by a layer's stride before adding that layer's kernel, so each layer counts with its own stride already
def receptive_field(layers):
    rf, jump = 1, 1
    for k, s in layers:
        jump *= s
        rf += (k - 1) * jump
    return rf


# %% wrong: uses the backward recursion but goes through the layers from the input on, so the strides act on the wrong layers
def receptive_field(layers):
    r = 1
    for layer in layers:
        kernel_size = layer[0]
        step = layer[1]
        r = step * (r - 1) + kernel_size
    return r
