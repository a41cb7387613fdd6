# %% right: GitHub style, one Sequential
class Down(nn.Module):
    """Downscaling with maxpool then double conv"""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(in_channels, out_channels))

    def forward(self, x):
        return self.maxpool_conv(x)

# %% wrong: The order is turned round: the DoubleConv works at full size and the pooling comes after it.
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)

    def forward(self, x):
        x = self.conv(x)
        return self.pool(x)

# %% wrong: The pooling is the 3×3 one of ResNet (stride 2, padding 1) instead of 2×2: its windows overlap, and an odd side becomes (H + 1) // 2.
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.convs = DoubleConv(in_channels, out_channels)

    def forward(self, x):
        return self.convs(self.pool(x))
