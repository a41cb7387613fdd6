# %% right: x before the skip in the concatenation, both differences in one line, short names
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        self.mix = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        down, right = (s - t for s, t in zip(skip.shape[-2:], x.shape[-2:]))
        return self.mix(torch.cat((F.pad(x, (0, right, 0, down)), skip), dim=1))


# %% wrong: stretches x to the skip's size by interpolation instead of filling it up with zeros at the bottom and on the right
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        if x.shape[-2:] != skip.shape[-2:]:
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
        return self.conv(torch.cat([skip, x], dim=1))


# %% wrong: the DoubleConv is made for in_channels channels, which is only right when skip_channels + out_channels happens to equal in_channels
class Up(nn.Module):
    """Upscaling then double conv"""

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x, skip):
        x1 = self.up(x)
        diffY = skip.size()[2] - x1.size()[2]
        diffX = skip.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diffX // 2, diffX - diffX // 2, diffY // 2, diffY - diffY // 2])
        return self.conv(torch.cat([skip, x1], dim=1))


# %% wrong: crops a larger skip to the size of x instead of filling up x, so the result is one row or column smaller than the skip
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.transpose = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.double = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        up = self.transpose(x)
        h, w = up.shape[2], up.shape[3]
        skip = skip[:, :, :h, :w]
        joined = torch.cat([up, skip], 1)
        return self.double(joined)
