# %% right: pixels flattened, one batched matrix product
def pointwise(x, weight, bias):
    n, c, h, w = x.shape
    out = torch.matmul(weight, x.reshape(n, c, h * w)) + bias.unsqueeze(-1)
    return out.reshape(n, weight.shape[0], h, w)


# %% wrong: moves the channels to the end for the product and then reshapes to (N, K, H, W) instead of permuting back, so the values are scrambled
def pointwise(x, weight, bias):
    N, C, H, W = x.shape
    K = weight.shape[0]
    y = x.permute(0, 2, 3, 1) @ weight.t() + bias  # (N, H, W, K)
    return y.reshape(N, K, H, W)


# %% wrong: adds the bias without giving it channel shape, so it broadcasts along the width (an error, or silently wrong when W == K)
def pointwise(x, weight, bias):
    return torch.einsum("kc,nchw->nkhw", weight, x) + bias
