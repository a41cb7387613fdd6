# %% right: loop over the kernel's places, the whole map added to a strided slice
def transposed_conv2d(x, kernel, stride=2):
    (h, w), k = x.shape, kernel.shape[0]
    out = x.new_zeros((h - 1) * stride + k, (w - 1) * stride + k)
    for a in range(k):
        for b in range(k):
            out[a : a + (h - 1) * stride + 1 : stride, b : b + (w - 1) * stride + 1 : stride] += x * kernel[a, b]
    return out


# %% wrong: assigns each stamp instead of adding it, so where stamps overlap the last one wins
def transposed_conv2d(x, kernel, stride=2):
    H, W = x.shape
    k = kernel.shape[0]
    output = torch.zeros((H - 1) * stride + k, (W - 1) * stride + k)
    for i in range(H):
        for j in range(W):
            output[i * stride:i * stride + k, j * stride:j * stride + k] = x[i, j] * kernel
    return output


# %% wrong: spreads x out with zeros and slides the kernel over it without flipping it, so a kernel that is not symmetric is stamped turned by 180 degrees
def transposed_conv2d(x, kernel, stride=2):
    h, w = x.shape
    k = kernel.shape[0]
    spread = torch.zeros((h - 1) * stride + 1, (w - 1) * stride + 1, dtype=x.dtype)
    spread[::stride, ::stride] = x
    spread = F.pad(spread, (k - 1,) * 4)
    patches = spread.unfold(0, k, 1).unfold(1, k, 1)
    return torch.einsum("yxij,ij->yx", patches, kernel)
