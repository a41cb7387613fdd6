# %% right: a list of layers built by a loop over the channels, and a plain loop in forward
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.steps = nn.ModuleList()
        for c in (in_channels, out_channels):
            self.steps.append(nn.Conv2d(c, out_channels, kernel_size=(3, 3), padding=padding, bias=not norm))
            self.steps.extend([nn.BatchNorm2d(out_channels)] if norm else [])
            self.steps.append(nn.ReLU())

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x

# %% wrong: padding goes to the first convolution only, the second always pads 1, so with padding=0 each side gets 2 pixels shorter instead of 4
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=padding)
        self.bn1 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return x

# %% wrong: the norm stands after the ReLU instead of between convolution and ReLU, so the output has negative values
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()

        def block(cin, cout):
            # Keras style: Conv2D(activation="relu"), then BatchNormalization
            layers = [nn.Conv2d(cin, cout, 3, padding=padding), nn.ReLU(inplace=False)]
            if norm:
                layers.append(nn.BatchNorm2d(cout))
            return layers

        self.net = nn.Sequential(*block(in_channels, out_channels), *block(out_channels, out_channels))

    def forward(self, x):
        return self.net(x)

# %% wrong: [two] first, norm is never looked at, so the BatchNorm2d are there with norm=False too; second, the ReLU after the second norm is missing, so the output has negative values
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, padding=1, norm=True):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=padding),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=padding),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x):
        return self.double_conv(x)
