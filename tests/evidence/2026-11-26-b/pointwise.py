# %% right: channels last, matrix product, back again
def pointwise(x, weight, bias):
    pixels = x.permute(0, 2, 3, 1)              # (N, H, W, C)
    out = pixels @ weight.T + bias              # (N, H, W, K)
    return out.permute(0, 3, 1, 2).contiguous()

# %% wrong: It calls F.conv2d, a convolution from a library, which the task forbids.
def pointwise(x, weight, bias):
    # a 1x1 conv is simply a conv with a (K, C, 1, 1) kernel
    return F.conv2d(x, weight[:, :, None, None], bias)

# %% wrong: reshape(-1, C) does not put the channels of one pixel in a row: in (N, C, H, W) neighbours in memory are pixels of the same channel, so the product mixes pixels; the channel axis must be moved last first.
def pointwise(x, weight, bias):
    N, C, H, W = x.shape
    K = weight.shape[0]
    flat = x.reshape(-1, C)
    y = torch.matmul(flat, weight.t()) + bias
    return y.reshape(N, K, H, W)
