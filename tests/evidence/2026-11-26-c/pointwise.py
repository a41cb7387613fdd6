# %% right: a linear layer over the channels, which are moved last and back
def pointwise(x, weight, bias):
    return F.linear(x.movedim(1, -1), weight, bias).movedim(-1, 1)


# %% right: one output map after the other, each a weighted sum of the input maps
def pointwise(x, weight, bias):
    maps = []
    for row, b in zip(weight, bias):
        maps.append(sum(w * x[:, c] for c, w in enumerate(row)) + b)
    return torch.stack(maps, dim=1)


# %% wrong: the weight is used as (C, K), so it fails unless K is C, and is transposed then
def pointwise(x, weight, bias):
    out = torch.einsum("nchw,ck->nkhw", x, weight)
    return out + bias.view(1, -1, 1, 1)


# %% wrong: the bias is added along the columns instead of the channels
def pointwise(x, weight, bias):
    return torch.einsum("kc,nchw->nkhw", weight, x) + bias


# %% wrong: reshape instead of permute, so a row of the matrix holds C neighbouring numbers, not the channels of a pixel
def pointwise(x, weight, bias):
    N, C, H, W = x.shape
    K = weight.shape[0]
    pixels = x.reshape(N * H * W, C)
    return (pixels @ weight.T + bias).reshape(N, H, W, K).permute(0, 3, 1, 2)


# %% wrong: the channels stay last in the result
def pointwise(x, weight, bias):
    return x.permute(0, 2, 3, 1) @ weight.t() + bias


# %% wrong: the way there is right, but the way back is a view without permuting, so the channels are mixed with the pixels
def pointwise(x, weight, bias):
    n, c, h, w = x.shape
    flat = x.permute(0, 2, 3, 1).reshape(-1, c)
    flat = flat.matmul(weight.transpose(0, 1)) + bias
    return flat.view(n, weight.size(0), h, w)


# %% wrong: rows and columns are swapped on the way back
def pointwise(x, weight, bias):
    y = torch.matmul(x.permute(0, 2, 3, 1), weight.T) + bias
    return y.transpose(1, 3)


# %% wrong: the bias is added for every input channel, C times in all
def pointwise(x, weight, bias):
    out = torch.zeros(x.shape[0], weight.shape[0], *x.shape[2:])
    for k in range(weight.shape[0]):
        for c in range(weight.shape[1]):
            out[:, k] += weight[k, c] * x[:, c] + bias[k]
    return out


# %% wrong: a ReLU at the end, which nobody asked for
def pointwise(x, weight, bias):
    scores = torch.tensordot(x, weight, dims=([1], [1])).permute(0, 3, 1, 2)
    return torch.relu(scores + bias[None, :, None, None])


# %% wrong: [two] first the bias is forgotten; second only the first image of the batch is worked on
def pointwise(x, weight, bias):
    c, h, w = x.shape[1:]
    return (weight @ x[0].reshape(c, h * w)).reshape(1, -1, h, w)


# %% wrong: [two] first the mean over the channels instead of the sum; second the bias is multiplied instead of added
def pointwise(x, weight, bias):
    products = x.unsqueeze(1) * weight[None, :, :, None, None]  # (N, K, C, H, W)
    return products.mean(dim=2) * bias[None, :, None, None]
