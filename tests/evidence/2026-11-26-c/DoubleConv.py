# %% right: a Sequential by inheritance, with named layers from an OrderedDict
from collections import OrderedDict


class DoubleConv(nn.Sequential):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        layers = OrderedDict()
        for number, channels in enumerate((in_channels, out_channels), start=1):
            layers[f"conv{number}"] = nn.Conv2d(channels, out_channels, (3, 3), padding=padding, bias=not norm)
            if norm:
                layers[f"bn{number}"] = nn.BatchNorm2d(out_channels)
            layers[f"relu{number}"] = nn.ReLU(inplace=True)
        super().__init__(layers)


# %% right: a ModuleDict that is filled from back to front, clamp in place of a ReLU layer
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.parts = nn.ModuleDict()
        if norm:
            self.parts["n2"] = nn.BatchNorm2d(out_channels)
            self.parts["n1"] = nn.BatchNorm2d(out_channels)
        self.parts["c2"] = nn.Conv2d(out_channels, out_channels, 3, padding=padding)
        self.parts["c1"] = nn.Conv2d(in_channels, out_channels, 3, padding=padding)

    def forward(self, x):
        for key in ("c1", "n1", "relu", "c2", "n2", "relu"):
            if key == "relu":
                x = x.clamp(min=0)
            elif key in self.parts:
                x = self.parts[key](x)
        return x


# %% wrong: instance normalisation in place of batch normalisation
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        Norm = (lambda: nn.InstanceNorm2d(out_channels, affine=True)) if norm else nn.Identity
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=padding),
            Norm(),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=padding),
            Norm(),
            nn.ReLU(),
        )

    def forward(self, x):
        return self.net(x)


# %% wrong: no ReLU after the second convolution and norm
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.c1 = nn.Conv2d(in_channels, out_channels, 3, padding=padding)
        self.c2 = nn.Conv2d(out_channels, out_channels, 3, padding=padding)
        self.b1 = nn.BatchNorm2d(out_channels) if norm else None
        self.b2 = nn.BatchNorm2d(out_channels) if norm else None

    def forward(self, x):
        h = self.c1(x)
        if self.b1 is not None:
            h = self.b1(h)
        h = F.relu(h)
        h = self.c2(h)
        if self.b2 is not None:
            h = self.b2(h)
        return h


# %% wrong: the ReLU stands under the `if norm`, so with norm=False there are two bare convolutions
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        layers = []
        for c in [in_channels, out_channels]:
            layers.append(nn.Conv2d(c, out_channels, kernel_size=3, padding=padding, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(out_channels))
                layers.append(nn.ReLU(inplace=True))
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


# %% wrong: the first convolution keeps the channels and the second changes them
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.first = self._unit(in_channels, in_channels, padding, norm)
        self.second = self._unit(in_channels, out_channels, padding, norm)

    @staticmethod
    def _unit(cin, cout, padding, norm):
        conv = nn.Conv2d(cin, cout, 3, padding=padding)
        return nn.Sequential(conv, nn.BatchNorm2d(cout), nn.ReLU()) if norm else nn.Sequential(conv, nn.ReLU())

    def forward(self, x):
        return self.second(self.first(x))


# %% wrong: the norm is written by hand and has no running averages, so in eval mode it still uses those of the batch
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=padding)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=padding)
        self.use_norm = norm
        if norm:
            self.gamma = nn.Parameter(torch.ones(2, 1, out_channels, 1, 1))
            self.beta = nn.Parameter(torch.zeros(2, 1, out_channels, 1, 1))

    def normalise(self, x, i):
        if not self.use_norm:
            return x
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        var = x.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(var + 1e-5) * self.gamma[i] + self.beta[i]

    def forward(self, x):
        x = torch.relu(self.normalise(self.conv1(x), 0))
        x = torch.relu(self.normalise(self.conv2(x), 1))
        return x


# %% wrong: the layers are made in forward, so each call has new random weights and the module has no parameters
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.padding = padding
        self.norm = norm

    def forward(self, x):
        x = nn.Conv2d(self.in_channels, self.out_channels, 3, padding=self.padding)(x)
        if self.norm:
            x = nn.BatchNorm2d(self.out_channels)(x)
        x = nn.ReLU()(x)
        x = nn.Conv2d(self.out_channels, self.out_channels, 3, padding=self.padding)(x)
        if self.norm:
            x = nn.BatchNorm2d(self.out_channels)(x)
        x = nn.ReLU()(x)
        return x


# %% wrong: padding is ignored, both convolutions always pad by 1
def conv3x3(cin, cout, bias):
    return nn.Conv2d(cin, cout, kernel_size=3, stride=1, padding=1, bias=bias)


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, bias=not norm)
        self.bn1 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.conv2 = conv3x3(out_channels, out_channels, bias=not norm)
        self.bn2 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return out


# %% wrong: only the first convolution is followed by a norm
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        body = [
            nn.Conv2d(in_channels, out_channels, 3, padding=padding),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=padding),
            nn.ReLU(),
        ]
        if norm:
            body.insert(1, nn.BatchNorm2d(out_channels))
        self.body = nn.Sequential(*body)

    def forward(self, x):
        return self.body(x)


# %% wrong: [two] first SiLU in place of ReLU; second the first convolution goes to half of out_channels, not to all
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True, mid_channels=None):
        super().__init__()
        if mid_channels is None:
            mid_channels = max(1, out_channels // 2)
        sizes = [in_channels, mid_channels, out_channels]
        modules = []
        for c_in, c_out in zip(sizes[:-1], sizes[1:]):
            modules += [nn.Conv2d(c_in, c_out, kernel_size=3, padding=padding, bias=not norm)]
            modules += [nn.BatchNorm2d(c_out)] if norm else []
            modules += [nn.SiLU(inplace=True)]
        self.double_conv = nn.Sequential(*modules)

    def forward(self, x):
        return self.double_conv(x)


# %% wrong: [two] first padding is not given to the second convolution, which has 0; second there is no ReLU at the end
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.convs = nn.ModuleList(
            [nn.Conv2d(in_channels, out_channels, 3, padding=padding), nn.Conv2d(out_channels, out_channels, 3)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(out_channels) if norm else nn.Identity() for _ in range(2)])

    def forward(self, x):
        (conv1, conv2), (norm1, norm2) = self.convs, self.norms
        return norm2(conv2(norm1(conv1(x)).relu()))
