# %% right: inherits from nn.Sequential (itself an nn.Module), so there is no forward to write
class Down(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(nn.MaxPool2d(kernel_size=2), DoubleConv(in_channels, out_channels))

# %% wrong: ceil_mode=True rounds odd sides up, so a side of 5 gives 3 instead of 2
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        # ceil_mode so that no pixel gets lost
        self.pool = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        return self.conv(self.pool(x))

# %% wrong: the order is turned round, DoubleConv at full size and then the pooling: same shape, other values
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.block = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        features = self.block(x)
        return F.max_pool2d(features, 2)

# %% wrong: [two] first, average pooling instead of max pooling; second, the DoubleConv is made with norm=False, so it has no batch normalisation
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.shrink = nn.AvgPool2d(2)
        self.convs = DoubleConv(in_channels, out_channels, norm=False)

    def forward(self, x):
        x = self.shrink(x)
        x = self.convs(x)
        return x
