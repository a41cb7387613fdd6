# %% right: UpConv for the way up, a zero canvas as large as the skip for the odd row, skip first
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.raise_up = UpConv(in_channels, out_channels, "transposed")
        self.mix = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        small = self.raise_up(x)
        n, c, h, w = small.shape
        canvas = small.new_zeros((n, c, skip.shape[2], skip.shape[3]))
        canvas[:, :, :h, :w] = small
        return self.mix(torch.cat((skip, canvas), dim=1))
# %% wrong: asks the transposed convolution for the skip's size with output_size, so the extra row or column of an odd skip holds the layer's bias instead of zeros
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x, skip):
        # PyTorch can do the odd sizes by itself
        x = self.up(x, output_size=skip.shape[-2:])
        x = torch.cat([x, skip], dim=1)
        return self.conv(x)
# %% wrong: gives F.pad the rows first and the columns second, so a skip with one odd side is padded along the wrong side and torch.cat raises
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.upsample = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        self.double_conv = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.upsample(x)
        diff_y = skip.size(2) - x.size(2)
        diff_x = skip.size(3) - x.size(3)
        x = F.pad(x, (0, diff_y, 0, diff_x))
        merged = torch.cat((skip, x), 1)
        return self.double_conv(merged)
# %% wrong: a ReLU follows the transposed convolution, which the task does not have; every negative value from below is lost before the concatenation
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        # each conv layer gets its activation, as in Keras: Conv2DTranspose(..., activation="relu")
        self.up = nn.Sequential(
            nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2),
            nn.ReLU(),
        )
        self.block = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x, skip):
        y = self.up(x)
        rows = skip.shape[2] - y.shape[2]
        cols = skip.shape[3] - y.shape[3]
        if rows or cols:
            y = F.pad(y, (0, cols, 0, rows))
        return self.block(torch.cat([y, skip], dim=1))
