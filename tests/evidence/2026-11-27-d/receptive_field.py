# %% right: from the output back to the input, folded with functools.reduce
from functools import reduce


def receptive_field(layers):
    # r values of a layer's output need (r - 1) * stride + kernel of its input
    return reduce(lambda r, layer: (r - 1) * layer[1] + layer[0], reversed(list(layers)), 1)

# %% wrong: the jump is multiplied by a layer's own stride before its kernel is added, so each strided layer counts its own kernel as too wide: [(2, 2)] gives 3 instead of 2
def receptive_field(layers):
    rf, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        rf += (kernel - 1) * jump
    return rf

# %% wrong: the jump is set to the stride of the layer before instead of the product of all strides so far, so a stride is forgotten after one more layer: [(2, 2), (2, 2), (3, 1)] gives 8 instead of 12
def receptive_field(layers):
    field = 1
    step = 1
    for i in range(len(layers)):
        k = layers[i][0]
        s = layers[i][1]
        field = field + (k - 1) * step
        step = s
    return field

# %% wrong: [two] first, the backward formula (r - 1) * stride + kernel is run from the first layer to the last; second, without layers it returns 0 instead of 1
def receptive_field(layers):
    if not layers:
        return 0
    r = 1
    for (k, s) in layers:
        r = (r - 1) * s + k
    return r
