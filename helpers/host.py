"""Where a student is at work, and how a file gets from there to their own machine."""

from __future__ import annotations

import contextlib
import html
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from helpers.markup import Shown

Host = Literal["laptop", "colab", "binder", "hub"]

# What is there to know about each, for one who wants to keep and hand in what they have done.
ABOUT: dict[Host, str] = {
    "laptop": "All that you do is on this machine. `submit()` makes the file that you hand in.",
    "colab": "You are on Colab, which forgets its files when you leave: `save()` makes one file of all that you have "
    "done, to download or to keep in your Drive, and `load()` brings it back. `submit()` makes the file that you hand "
    "in.",
    "binder": "You are on Binder, which forgets everything after some minutes without work: `save()` makes one file of "
    "all that you have done, to download, and `load()` brings it back. `submit()` makes the file that you hand in.",
    "hub": "You are on your class's hub, which keeps your files. `submit()` hands the notebook in.",
}


_began: Path | None = None
with contextlib.suppress(OSError):  # the working directory was deleted
    _began = Path.cwd()


def folder() -> Path:
    """The folder of the lesson that runs here: in a notebook the one that the first cell ran in, wherever a later cell
    has gone; else the working directory.

    Raises:
        OSError: the working directory was deleted.
    """
    from IPython.core.getipython import get_ipython

    is_notebook = hasattr(get_ipython(), "kernel")
    return _began if is_notebook and _began is not None and _began.is_dir() else Path.cwd()


def host() -> Host:
    """Where the kernel runs, by what the machine's environment says of itself."""
    if "COLAB_RELEASE_TAG" in os.environ:
        return "colab"
    if "BINDER_SERVICE_HOST" in os.environ:  # which is a hub, too
        return "binder"
    return "hub" if "JUPYTERHUB_USER" in os.environ else "laptop"


def user() -> str:
    """The name of the account, such as `"ana"`; empty where it is one that everybody has."""
    import getpass

    if host() in ("colab", "binder"):
        return ""
    try:
        name = os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return ""
    return "" if name in ("root", "jovyan", "user", "student") else name


def offer(path: Path) -> None:
    """Let the student download a file: in Colab it begins by itself, in Jupyter a link stands below the cell."""
    from IPython.display import display

    if host() == "colab":
        importlib.import_module("google.colab.files").download(str(path))  # Colab's own, in no package index
        return
    name = html.escape(path.name)
    # JupyterLab would open a link without `download` itself, and says of a zip that it cannot.
    link = f'<p>Download it: <a href="{quote(os.path.relpath(path, folder()))}" download="{name}">{name}</a></p>'
    show: Callable[[object], object] = display  # IPython's own has no types
    show(Shown(f"It is {path}", link))


def notebook() -> Path | None:
    """The file of the notebook that runs; `None` where it cannot be reached, as on Colab.

    Jupyter and VS Code say which it is. Where neither does, it is the one that is called as its folder.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    here = folder()
    said = (os.environ.get("JPY_SESSION_NAME"), shell and shell.user_ns.get("__vsc_ipynb_file__"))
    candidates = [here / str(name) for name in said if name] + [here / f"{here.name}.ipynb"]
    return next((path for path in candidates if path.suffix == ".ipynb" and path.is_file()), None)
