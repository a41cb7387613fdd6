# %% right: the pooling by reshape and amax
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.block = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        n, c, h, w = x.shape
        x = x[:, :, : h // 2 * 2, : w // 2 * 2]
        x = x.reshape(n, c, h // 2, 2, w // 2, 2).amax(dim=(3, 5))
        return self.block(x)


# %% right: subclass of nn.Sequential, no forward of its own
class Down(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.MaxPool2d(kernel_size=2, stride=2), DoubleConv(in_channels, out_channels))


# %% wrong: average pooling instead of max pooling
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.down = nn.Sequential(nn.AvgPool2d(2), DoubleConv(in_channels, out_channels))

    def forward(self, x):
        return self.down(x)


# %% wrong: the pooling has stride 1, so the sides hardly change
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        x = F.max_pool2d(x, kernel_size=2, stride=1)
        return self.conv(x)


# %% wrong: numpy-like slicing takes every second pixel instead of the largest of four
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        n, c, h, w = x.shape
        x = x[:, :, 0 : h - h % 2 : 2, 0 : w - w % 2 : 2]
        return self.conv(x)


# %% wrong: one convolution, norm and ReLU instead of a DoubleConv
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return F.relu(self.norm(self.conv(self.pool(x))))


# %% wrong: pools with ceil_mode, so odd sides round up
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.MaxPool2d(kernel_size=2, stride=2, ceil_mode=True),
            DoubleConv(in_channels, out_channels),
        ])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


# %% wrong: 3×3 max pooling with stride 2 and padding 1, as in a ResNet
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.double_conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        return self.double_conv(self.pool(x))


# %% wrong: returns a pair of the result and the skip
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        skip = x
        x = self.pool(x)
        x = self.conv(x)
        return x, skip


# %% wrong: the DoubleConv always gives twice in_channels, out_channels is ignored
class Down(nn.Module):
    def __init__(self, in_channels, out_channels=None):
        super().__init__()
        out_channels = in_channels * 2
        self.net = nn.Sequential(nn.MaxPool2d(2, 2), DoubleConv(in_channels, out_channels))

    def forward(self, x):
        return self.net(x)


# %% wrong: [two] first average pooling instead of max pooling; second the DoubleConv comes before the pooling
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        return F.avg_pool2d(self.conv(x), 2)


# %% wrong: [two] first the DoubleConv has no norm; second the pooling rounds odd sides up
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels, norm=False)

    def forward(self, x):
        x = F.max_pool2d(x, 2, 2, 0, 1, True)
        return self.conv(x)
