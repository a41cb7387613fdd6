"""Packages that come with an extra of the course, such as `build-unet[share]`, and may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str, error: type[BaseException]) -> Iterator[None]:
    """Around the imports of an extra's packages: where one is missing, `error` says which extra, in one line.

    with extra("share", ShareError):
        import onnx
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        package = str(missing.name).partition(".")[0]
        if package in ("helpers", "autograde"):  # a mistake in the course itself
            raise
        raise error(f'{package} is missing. Install the {name} extra: pip install "build-unet[{name}]"') from None
