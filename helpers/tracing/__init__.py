"""What ran in a network: shapes, skips, receptive fields, the influence of each pixel. No widget in here."""
