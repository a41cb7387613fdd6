# %% right: separate attributes, Identity in place of a missing norm, default biases
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.conv_a = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=padding)
        self.conv_b = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=padding)
        self.norm_a = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.norm_b = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x):
        x = torch.relu(self.norm_a(self.conv_a(x)))
        x = torch.relu(self.norm_b(self.conv_b(x)))
        return x


# %% wrong: one BatchNorm2d is shared by both convolutions instead of each having its own
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=padding, bias=not norm)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=padding, bias=not norm)
        self.bn = nn.BatchNorm2d(out_channels)
        self.norm = norm

    def forward(self, x):
        for conv in (self.conv1, self.conv2):
            x = conv(x)
            if self.norm:
                x = self.bn(x)
            x = F.relu(x)
        return x


# %% wrong: the second convolution always pads by 1, so with padding=0 each side gets 2 pixels shorter instead of 4
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        layers = [nn.Conv2d(in_channels, out_channels, 3, padding=padding)]
        if norm:
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU(inplace=True))
        layers.append(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        if norm:
            layers.append(nn.BatchNorm2d(out_channels))
        layers.append(nn.ReLU(inplace=True))
        self.block = nn.Sequential(*layers)

    def forward(self, x):
        return self.block(x)


# %% wrong: [two] first the ReLU stands before the norm instead of after it; second norm is ignored, there are always batch norms
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()

        def unit(i, o):
            return nn.Sequential(nn.Conv2d(i, o, 3, 1, padding), nn.ReLU(), nn.BatchNorm2d(o))

        self.first = unit(in_channels, out_channels)
        self.second = unit(out_channels, out_channels)

    def forward(self, x):
        return self.second(self.first(x))
