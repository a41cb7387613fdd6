"""A real JupyterHub with a proxy from npm and three Unix users, who are made for it and removed after it.

The hub is installed into `.venv-hub`, beside `.venv` and on top of it, since it is none of the course's packages.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograde import hub as written

REPOSITORY = Path(__file__).parents[2]
HUB, PROXY = "jupyterhub==6.1.1", "configurable-http-proxy@5"
ENVIRONMENT = REPOSITORY / ".venv-hub"
USERS = ("unet-prof", "unet-ana", "unet-ben")
PROF, ANA, BEN = USERS
START_S = 60

CONFIG = """\
import os
c = get_config()  # noqa: F821
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.Spawner.cmd = [{single!r}]
c.Spawner.args = ["--ServerApp.root_dir=."]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.environment = {environment!r}
load_subconfig({ours!r})  # noqa: F821
"""


@dataclass
class Hub:
    """A running hub."""

    url: str
    password: str
    homes: Path
    exchange: Path

    def home(self, user: str) -> Path:
        """A user's home."""
        return self.homes / user

    def as_user(self, user: str, *command: str, check: bool = True) -> str:
        """Run a command as a user, in their home, and return what it says."""
        environment = {"HOME": str(self.home(user)), "USER": user, "LOGNAME": user, **surroundings(self.homes.parent)}
        call = ["runuser", "-u", user, "--", *command]
        done = subprocess.run(call, cwd=self.home(user), env=environment, capture_output=True, text=True)
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout + done.stderr


def why_not() -> str:
    """Why no hub can run here; empty if one can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "a hub that starts servers of other users has to be run by root"
    for tool in ("useradd", "runuser", "npm", "node"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    seen = subprocess.run(["runuser", "-u", "nobody", "--", "test", "-r", str(REPOSITORY / "course.py")])
    if seen.returncode != 0:
        return f"other users cannot read {REPOSITORY}"
    if taken := [user for user in USERS if any(user == one.pw_name for one in pwd.getpwall())]:
        return f"there is a user called {taken[0]} already"
    return installed()


def installed() -> str:
    """Install the hub and its proxy, once; why that failed, if it did."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = next(filter(others_run, (os.path.realpath(sys.executable), f"/usr/bin/{version}")), None)
    if base is None:
        return f"there is no {version} that other users can run"
    stamp, wanted = ENVIRONMENT / "installed.txt", f"{HUB} {PROXY} on {base}"
    if stamp.exists() and stamp.read_text() == wanted:
        return ""
    site = ENVIRONMENT / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    pip = [sys.executable, "-m", "pip", "--python", str(ENVIRONMENT / "bin" / "python"), "install", "--quiet"]
    steps = (
        [base, "-m", "venv", "--clear", "--without-pip", str(ENVIRONMENT)],
        [*pip, HUB],
        # nbgrader calls it by name, and other users may not reach the Python for which `.venv` has it.
        [*pip, "--no-deps", "--ignore-installed", f"alembic=={importlib.metadata.version('alembic')}"],
        ["npm", "install", "--no-fund", "--no-audit", "--prefix", str(ENVIRONMENT), PROXY],
    )
    for number, step in enumerate(steps):
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode != 0:
            return f"{HUB} and {PROXY} cannot be installed: {done.stderr.strip()[-200:]}"
        if number == 0:  # all that the course has is there, too
            (site / "course.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    stamp.write_text(wanted)
    return ""


def others_run(program: str) -> bool:
    """Whether a user who is not root can run a program."""
    call = ["runuser", "-u", "nobody", "--", program, "--version"]
    return subprocess.run(call, capture_output=True).returncode == 0


def surroundings(place: Path) -> dict[str, str]:
    """The environment of the users' servers and commands: the course, and the configuration that `hub-config` wrote."""
    own = Path(sys.prefix)
    return {
        "PATH": f"{ENVIRONMENT}/bin:{own}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JUPYTER_PATH": str(own / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": f"{place}/hub-config/etc:{own}/etc/jupyter",
        "JUPYTERLAB_DIR": str(own / "share" / "jupyter" / "lab"),
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def running(place: Path) -> Iterator[Hub]:
    """A hub whose files are all in `place`, which everybody can enter."""
    ports = free_ports(3)
    homes, exchange, files = place / "homes", place / "exchange", place / "hub-config"
    homes.mkdir()
    exchange.mkdir()
    exchange.chmod(0o777)
    written.write_config([PROF], str(homes / PROF / "course"), str(exchange), files)
    hub = Hub(f"http://127.0.0.1:{ports[0]}", secrets.token_hex(8), homes, exchange)
    config = place / "jupyterhub_config.py"
    config.write_text(
        CONFIG.format(
            port=ports[0],
            hub_port=ports[1],
            api_port=ports[2],
            password=hub.password,
            proxy=str(ENVIRONMENT / "node_modules" / ".bin" / "configurable-http-proxy"),
            single=str(ENVIRONMENT / "bin" / "jupyterhub-singleuser"),
            environment=surroundings(place),
            ours=str(files / "hub" / "build_unet_config.py"),
        )
    )
    try:
        for user in USERS:
            command = ["useradd", "--create-home", "--base-dir", str(homes), "--shell", "/bin/bash"]
            subprocess.run([*command, "-K", "HOME_MODE=0700", user], check=True)
        (hub.home(PROF) / ".jupyter").mkdir()
        shutil.copy(files / "instructor" / "nbgrader_config.py", hub.home(PROF) / ".jupyter")
        shutil.chown(hub.home(PROF) / ".jupyter", PROF, PROF)
        log = place / "hub.log"
        environment = {**os.environ, "PATH": f"{ENVIRONMENT}/bin:{os.environ['PATH']}"}
        environment.pop("PYTHONPATH", None)
        with log.open("wb") as out:
            command = [str(ENVIRONMENT / "bin" / "jupyterhub"), "-f", str(config)]
            server = subprocess.Popen(command, cwd=place, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            wait_for(hub.url, server, log)
            yield hub
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        for process in psutil.process_iter(["username"]):  # what the hub has left of theirs
            if process.info["username"] in USERS:
                process.kill()
        for user in USERS:
            subprocess.run(["userdel", "--remove", user], capture_output=True)


def free_ports(number: int) -> list[int]:
    """Ports at which nobody listens."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the hub answers.

    Raises:
        AssertionError: it does not.
    """
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/hub/login", timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"The hub did not start:\n{log.read_text(errors='replace')[-3000:]}")
