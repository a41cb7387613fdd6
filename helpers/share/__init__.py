"""Share a trained network as one file with all there is to know about it, and measure a class's files in a gallery.

    from helpers.share import share, load_shared, gallery, comment
    share(model, "first-try", train, validation, folder="class", history=history)
    comment("class", "first-try", author="Ben", text="What did you do about the touching ones?")
    gallery("class", export="gallery.html")

Files of others are data only: no code is run, nothing is unpickled, and a file that breaks a rule is refused with the
reason.
"""

from helpers.share.bundle import load_shared, share
from helpers.share.errors import ShareError
from helpers.share.gallery import comment, gallery
from helpers.share.hub import push
from helpers.share.onnx import Exported, export_onnx
from helpers.share.page import Gallery

__all__ = ["Exported", "Gallery", "ShareError", "comment", "export_onnx", "gallery", "load_shared", "push", "share"]
