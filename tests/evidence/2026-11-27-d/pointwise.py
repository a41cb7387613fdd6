# %% right: tensordot over the channel axes, then the new axis moved into its place
def pointwise(x, weight, bias):
    mixed = torch.tensordot(weight, x, dims=([1], [1]))      # (K, N, H, W)
    return mixed.movedim(0, 1) + bias.reshape(1, -1, 1, 1)

# %% wrong: the bias (K,) is added without further axes, so it is lined up with the width: it raises for W != K (unless K or W is 1) and is wrong along the columns for W == K
def pointwise(x, weight, bias):
    n, c, h, w = x.shape
    flat = x.reshape(n, c, h * w)
    out = torch.matmul(weight, flat)
    out = out.reshape(n, -1, h, w)
    return out + bias

# %% wrong: the rows (N*H*W, K) are reshaped straight to (N, K, H, W) without moving the channels back, so the shape is right and the values are scrambled
def pointwise(x, weight, bias):
    N, C, H, W = x.shape
    K = weight.shape[0]
    # a Dense layer on every pixel
    pixels = x.permute(0, 2, 3, 1).reshape(-1, C)
    scores = pixels @ weight.t() + bias
    return scores.reshape(N, K, H, W)

# %% wrong: the einsum ends in "wh" instead of "hw", so height and width are swapped in the result
def pointwise(x, weight, bias):
    return torch.einsum("nchw,kc->nkwh", x, weight) + bias[None, :, None, None]
