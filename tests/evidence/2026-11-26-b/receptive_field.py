# %% right: from the output back to the input
def receptive_field(layers):
    rf = 1
    for kernel, stride in reversed(layers):
        rf = (rf - 1) * stride + kernel
    return rf

# %% wrong: The jump is multiplied by the layer's own stride before the layer is added; a layer's own stride only spreads the layers after it, so one 2×2 pooling with stride 2 already gives 3 instead of 2.
def receptive_field(layers):
    r, jump = 1, 1
    for k, s in layers:
        jump *= s
        r += (k - 1) * jump
    return r

# %% wrong: The backward formula is run from the input on, in the wrong order, so strides enlarge what came before them instead of after them ([(3, 1), (2, 2)] gives 6 instead of 4).
def receptive_field(layers):
    field = 1
    for (kernel, stride) in layers:
        field = stride * (field - 1) + kernel
    return field
