# %% right: a dictionary of recipes, only the chosen one is cooked
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()

        def enlarge_then_conv():
            return nn.Sequential(
                nn.Upsample(scale_factor=2, mode=mode),      # align_corners is off by default
                nn.Conv2d(in_channels, out_channels, 3, padding="same"),
            )

        recipes = {
            "transposed": lambda: nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2),
            "nearest": enlarge_then_conv,
            "bilinear": enlarge_then_conv,
        }
        if mode not in recipes:
            raise ValueError(f"mode {mode!r} is none of {sorted(recipes)}")
        self.up = recipes[mode]()

    def forward(self, x):
        return self.up(x)

# %% wrong: the bilinear mode enlarges with align_corners=True, so its values differ from those with corners not aligned
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)
            self.conv = nn.Identity()
        elif mode == "nearest":
            self.up = nn.Upsample(scale_factor=2, mode="nearest")
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        elif mode == "bilinear":
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        else:
            raise ValueError(mode)

    def forward(self, x):
        return self.conv(self.up(x))

# %% wrong: in the modes nearest and bilinear the convolution comes first, on the small maps, and the enlarging after it
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode not in ("transposed", "nearest", "bilinear"):
            raise ValueError("unknown mode: " + str(mode))
        self.mode = mode
        if mode == "transposed":
            self.layer = nn.ConvTranspose2d(in_channels, out_channels, 2, 2)
        else:
            self.layer = nn.Conv2d(in_channels, out_channels, 3, padding=1)

    def forward(self, x):
        x = self.layer(x)
        if self.mode == "transposed":
            return x
        # cheaper with fewer channels
        return F.interpolate(x, scale_factor=2, mode=self.mode)

# %% wrong: [two] first, every other mode falls into the bilinear branch and no ValueError is raised; second, a ReLU stands at the end
class UpConv(nn.Module):
    def __init__(self, in_channels, out_channels, mode="transposed"):
        super().__init__()
        if mode == "transposed":
            layers = [nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)]
        elif mode == "nearest":
            layers = [nn.UpsamplingNearest2d(scale_factor=2), nn.Conv2d(in_channels, out_channels, 3, padding=1)]
        else:
            layers = [
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(in_channels, out_channels, 3, padding=1),
            ]
        layers.append(nn.ReLU())
        self.seq = nn.Sequential(*layers)

    def forward(self, x):
        return self.seq(x)
