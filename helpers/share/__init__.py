"""Sharing: one file holds a trained network and what to know about it; a gallery measures a class's files again.

    from helpers.share import share, load_shared, gallery, comment
    share(model, "ana", train, validation, folder="class", history=history)
    comment("class", "ana", author="Ben", text="What did you do about the touching ones?")
    gallery("class", export="gallery.html")

What comes from others is data and nothing else: no code is run, nothing is unpickled, and a file that does not keep the
rules is refused with the reason.
"""

from helpers.share.bundle import load_shared, share
from helpers.share.errors import ShareError
from helpers.share.gallery import comment, gallery
from helpers.share.hub import push
from helpers.share.onnx import Exported, export_onnx
from helpers.share.page import Gallery

__all__ = ["Exported", "Gallery", "ShareError", "comment", "export_onnx", "gallery", "load_shared", "push", "share"]
