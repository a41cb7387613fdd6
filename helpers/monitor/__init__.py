"""How a training goes, while it goes: progress, curves, and a validation image whose mask sharpens."""
