# %% right: one nn.Sequential with named steps
from collections import OrderedDict


class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.step = nn.Sequential(
            OrderedDict(pool=nn.MaxPool2d(kernel_size=2), convs=DoubleConv(in_channels, out_channels))
        )

    def forward(self, x):
        return self.step(x)


# %% wrong: the DoubleConv comes first and the pooling after it; the order is the wrong way round
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = DoubleConv(in_channels, out_channels)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        return self.pool(self.conv(x))


# %% wrong: makes a new DoubleConv in every forward, so the module has no parameters and other weights each time
class Down(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels

    def forward(self, x):
        x = F.max_pool2d(x, 2)
        return DoubleConv(self.in_channels, self.out_channels)(x)
