# %% right: milesial's GitHub U-Net, whose // 2 puts a single row at the bottom
class Up(nn.Module):
    """Upscaling then double conv"""

    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
        self.conv = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        # input is CHW
        diffY = x2.size()[2] - x1.size()[2]
        diffX = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diffX // 2, diffX - diffX // 2,
                        diffY // 2, diffY - diffY // 2])
        x = torch.cat([x2, x1], dim=1)
        return self.conv(x)

# %% wrong: The skip is cropped to the size of the doubled x, as in the paper, instead of filling x up, so with an odd skip the result is a row or column too small.
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.up = UpConv(in_channels, out_channels, "transposed")
        self.double = DoubleConv(skip_channels + out_channels, out_channels)

    def forward(self, x, skip):
        x = self.up(x)
        skip = skip[:, :, :x.shape[2], :x.shape[3]]
        return self.double(torch.cat((skip, x), dim=1))

# %% wrong: F.pad takes the last axis first, but the rows are given first here, so the missing row is added as a column and cat fails when only one side is odd.
class Up(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.upconv = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv(out_channels + skip_channels, out_channels)

    def forward(self, x, skip):
        x = self.upconv(x)
        missing_rows = skip.shape[2] - x.shape[2]
        missing_cols = skip.shape[3] - x.shape[3]
        x = F.pad(x, (0, missing_rows, 0, missing_cols))
        return self.conv(torch.cat([x, skip], 1))
