"""`data.load("folder", ...)`: your own images and masks."""

from helpers.data.folder.folder import Folder

__all__ = ["Folder"]
