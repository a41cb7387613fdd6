# %% right: from the last layer back to the input
def receptive_field(layers):
    pixels = 1
    for kernel, stride in layers[::-1]:
        pixels = (pixels - 1) * stride + kernel
    return pixels


# %% right: follows which pixels a value depends on, with sets
def receptive_field(layers):
    seen = {0}
    for kernel, stride in reversed(layers):
        seen = {place * stride + k for place in seen for k in range(kernel)}
    return max(seen) - min(seen) + 1


# %% wrong: the stride of a layer is counted before its own kernel
def receptive_field(layers):
    rf, jump = 1, 1
    for k, s in layers:
        jump *= s
        rf += (k - 1) * jump
    return rf


# %% wrong: strides are ignored
def receptive_field(layers):
    return 1 + sum(k - 1 for k, _ in layers)


# %% wrong: the kernels are multiplied
def receptive_field(layers):
    result = 1
    for kernel, stride in layers:
        result *= kernel
    return result


# %% wrong: adds the whole kernel of each layer instead of kernel - 1
def receptive_field(layers):
    field = 1
    step = 1
    for kernel, stride in layers:
        field = field + kernel * step
        step = step * stride
    return field


# %% wrong: back to front, but a value's neighbours do not share: r * stride + kernel, without taking the stride off
def receptive_field(layers):
    r = 1
    for kernel, stride in reversed(layers):
        r = r * stride + kernel
    return r


# %% wrong: the recursion runs from the input on instead of from the last layer back
def receptive_field(layers):
    size = 1
    for kernel, stride in layers:
        size = (size - 1) * stride + kernel
    return size


# %% wrong: only the stride of the layer just before counts, they are not multiplied
def receptive_field(layers):
    total, previous = 1, 1
    for kernel, stride in layers:
        total += (kernel - 1) * previous
        previous = stride
    return total


# %% wrong: without layers it fails, since it begins with the first one
def receptive_field(layers):
    field, step = layers[0]
    for kernel, stride in layers[1:]:
        field += (kernel - 1) * step
        step *= stride
    return field


# %% wrong: [two] first kernel and stride are unpacked the wrong way round; second it begins at 0
def receptive_field(layers):
    field, step = 0, 1
    for stride, kernel in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


# %% wrong: [two] first the strides are added up instead of multiplied; second it counts the reach to one side only
def receptive_field(layers):
    reach, step = 0, 1
    for kernel, stride in layers:
        reach += kernel // 2 * step
        step += stride - 1
    return 1 + reach
