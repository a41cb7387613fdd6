"""A real JupyterLab with real kernels, driven by a real Chromium."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, expect, sync_playwright

REPOSITORY = Path(__file__).parents[2]
START_S = 60  # a cold JupyterLab on a busy machine
CELLS_MS = 60_000  # a cold kernel with its imports
CHROMIUM_ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# JupyterLab as it comes, less the question whether to fetch news, and with all cells of a notebook on the page.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass
class Lab:
    """A running JupyterLab. Notebooks are put into `root`."""

    root: Path
    settings: Path
    url: str
    token: str

    def set(self, plugin: str, values: dict[str, object]) -> None:
        """Write settings of a plugin; a page opened after this has them."""
        path = self.settings / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def stop_kernels(self) -> None:
        """End the kernels of the notebooks opened so far, so that they do not pile up over a session."""
        for kernel in json.loads(self.call("GET", "/api/kernels")):
            self.call("DELETE", f"/api/kernels/{kernel['id']}")

    def call(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read()


@dataclass
class NotebookPage:
    """A notebook open in JupyterLab, and the errors that the browser's console showed."""

    page: Page
    path: Path
    url: str
    dark: bool
    console_errors: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Open the notebook, again if it was open, and wait for its kernel."""
        self.page.goto(self.url)
        # The indicator beside the kernel's name says idle before there is a kernel; the status bar does not.
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=CELLS_MS)

    def save(self) -> None:
        self.page.locator(".jp-Notebook").press("Control+s")
        expect(self.page.locator(".jp-mod-dirty")).to_have_count(0)

    def restart_kernel(self) -> None:
        """Restart the kernel and wait for the new one."""
        self.page.get_by_role("button", name="Restart the kernel").first.click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        status = self.page.locator("#jp-main-statusbar")
        expect(status).not_to_contain_text("| Idle")  # while the new kernel starts
        expect(status).to_contain_text("| Idle", timeout=CELLS_MS)

    def run_all(self, timeout_ms: int = CELLS_MS) -> None:
        """Run all cells and wait until the last has ended."""
        self.start_all()
        # a cell's prompt is [ ] before, [*] while and [1] after it ran
        prompts = self.page.locator(".jp-CodeCell .jp-InputArea-prompt")
        expect(prompts).to_have_text([re.compile(r"\[\d+\]")] * prompts.count(), timeout=timeout_ms)

    def run(self, *cells: int) -> None:
        """Run these cells one after the other without waiting for any."""
        for cell in cells:
            whole_or_folded = ".cm-content, .jp-Placeholder-content"
            self.page.locator(".jp-CodeCell").nth(cell).locator(whole_or_folded).first.click()
            self.page.keyboard.press("Shift+Enter")

    def wait_for(self, cell: int) -> None:
        """Wait until a cell has run."""
        prompt = self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-InputArea-prompt")
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=CELLS_MS)

    def start_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    def tab_to(self, target: Locator) -> None:
        """Press Tab until the focus is there."""
        for _ in range(80):
            self.page.keyboard.press("Tab")
            if target.evaluate("node => node === document.activeElement"):
                return
        expect(target).to_be_focused()

    def drag(self, picture: Locator, share: float) -> None:
        """Drag with the mouse from the middle of a picture to the right, by a share of its width."""
        picture.scroll_into_view_if_needed()
        box, mouse = picture.bounding_box(), self.page.mouse
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + share * box["width"], y, steps=4)
        mouse.up()

    def keeps_letters(self) -> None:
        """Where the focus is, the letters that cut, delete and insert cells in JupyterLab do nothing."""
        cells = self.page.locator(".jp-CodeCell")
        before = cells.count()
        for key in ("x", "d", "d", "b"):
            self.page.keyboard.press(key)
        expect(cells).to_have_count(before)

    def texts_stand_out(self, *texts: Locator) -> None:
        """The page has the theme's background, and the colour of each text is far from it."""
        background = brightness(self.page.locator(".jp-Notebook").first, "backgroundColor")
        assert (background < 128) == self.dark
        for text in texts:
            in_svg = text.evaluate("node => node.tagName") == "text"
            assert abs(brightness(text, "fill" if in_svg else "color") - background) > 128, text

    def output(self, cell: int) -> Locator:
        """The visible output of a code cell, counted from 0: a live piece hides its static fallback."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output:visible")


def brightness(element: Locator, style: str) -> float:
    """How bright a colour of the element is, from 0 to 255."""
    colour = element.evaluate(f"element => getComputedStyle(element).{style}")
    red, green, blue, *_ = (float(number) for number in re.findall(r"[\d.]+", colour))
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        line = "no Chromium: browser tests not run; install Debian's chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(line)
        pytest.skip(line)
    return path


@pytest.fixture(scope="session")
def lab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with a root of its own."""
    home = tmp_path_factory.mktemp("lab")
    (home / "root").mkdir()
    with served(home, home / "root") as lab:
        yield lab


@contextmanager
def served(home: Path, root: Path) -> Iterator[Lab]:
    """JupyterLab on a free port, started in `root`, with settings and runtime files of its own in `home`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    lab = Lab(root, home / "settings", f"http://127.0.0.1:{port}", secrets.token_hex(16))
    for plugin, values in SETTINGS.items():
        lab.set(plugin, values)
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(lab.settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={lab.root}"]
    command += [f"--IdentityProvider.token={lab.token}"]
    log = home / "lab.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_for(lab, server, log)
        yield lab
    finally:
        server.terminate()  # it shuts down its kernels before it ends
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            lab.call("GET", "/api/kernels")
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # Not for the session: its event loop runs in this thread, and a test elsewhere may start one of its own.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., NotebookPage]]:
    """Write a notebook of these code cells and open it: `open_notebook("1 + 1", "2 + 2", dark=True)`.

    With `lesson="02_overlap"` it is that notebook of the course, in a copy of the folder `notebooks`; cells replace its
    own. Afterwards the browser's console has shown no error.
    """
    notebooks: list[NotebookPage] = []

    def open(*cells: str, dark: bool = False, lesson: str = "") -> NotebookPage:
        name = re.sub(r"\W+", "-", f"{request.node.name}-{len(notebooks)}")  # a name that a URL can hold
        file = f"{name}/notebooks/{lesson}/{lesson}.ipynb" if lesson else f"{name}.ipynb"
        if lesson:
            own = shutil.ignore_patterns("answers.json", "progress", "unlocked.json")  # of whoever works here
            shutil.copytree(REPOSITORY / "notebooks", lab.root / name / "notebooks", ignore=own)
        if cells:
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(notebook, lab.root / file)
        theme = "JupyterLab Dark" if dark else "JupyterLab Light"
        lab.set("@jupyterlab/apputils-extension/themes", {"theme": theme})
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": 1200, "height": 1000}, color_scheme=scheme)
        # a workspace of its own, so that no other test's notebook is open beside this one
        url = f"{lab.url}/lab/workspaces/{name}/tree/{file}?token={lab.token}"
        opened = NotebookPage(context.new_page(), lab.root / file, url, dark)
        notebooks.append(opened)

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                opened.console_errors.append(f"{message.text} ({message.location.get('url', '')})")

        opened.page.on("console", on_console)

        def on_error(error: Error) -> None:
            # anywidget says this where a page had no time for two seconds, as on a machine that runs other tests. A
            # widget that is not there fails its own test.
            if str(error) != "[anywidget] Failed to initialize model.":
                opened.console_errors.append(str(error))

        opened.page.on("pageerror", on_error)
        opened.open()
        return opened

    yield open
    for notebook in notebooks:
        notebook.page.context.close()
    lab.stop_kernels()
    assert [error for notebook in notebooks for error in notebook.console_errors] == []


@pytest.fixture
def run_notebook(open_notebook: Callable[..., NotebookPage]) -> Callable[..., NotebookPage]:
    """Open a notebook as `open_notebook` does, and run all its cells."""

    def run(*cells: str, dark: bool = False) -> NotebookPage:
        notebook = open_notebook(*cells, dark=dark)
        notebook.run_all()
        return notebook

    return run
