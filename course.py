"""Build U-Net, piece by piece: from a bare machine to the running course in one command.

    python course.py lab [--no-browser] [--port N] ...   open JupyterLab on the notebooks
    python course.py lab --instructor                    the same, with nbgrader's tools
    python course.py test [pytest arguments]             run the whole test suite
    python course.py test --launch                       before a release: every lesson as on Colab and on Binder
    python course.py doctor                              say what is here and what is missing
    python course.py build | check | grade | regrade | export | rehearse | hub-config | release | accuracy | lessons |
                     bench | site | messages ...
                                                         the course's own commands (add --help)

The first run makes .venv and installs the versions in constraints.txt; a later run reinstalls nothing.
Python 3.10 to 3.14 on Linux, macOS or Windows; nothing else is needed.
"""

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# The syntax of this whole file must parse in Python 3.6, so that an old Python gets this far and can say so.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(
        f"course.py: this is Python {platform.python_version()} ({sys.executable}), which is too old.\n"
        "  The rule:   the course needs Python 3.10 to 3.14.\n"
        "  What to do: install one from python.org or with your system's package manager, then call it by\n"
        "              name, for example:  python3.12 course.py lab"
    )

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

ROOT = Path(__file__).resolve().parent
NEWEST = (3, 14)  # the newest Python for which every package in constraints.txt has a wheel
EVERYTHING = ".[lab,class,share,test]"  # the course with all its extras
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


class Problem(Exception):
    """What the reader can put right: what is wrong, the rule, what to do. Shown without a traceback."""

    def __init__(self, what: str, rule: str, todo: str) -> None:
        super().__init__(f"course.py: {what}\n  The rule:   {rule}\n  What to do: {todo}")


def main(argv: list[str]) -> int:
    """Run one verb and return its exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    verb, args = argv[0], argv[1:]
    if verb.startswith("-"):
        print(f"course.py: a verb comes first, then its options, not {verb}.\n\n{__doc__.strip()}", file=sys.stderr)
        return 2
    try:
        if verb == "doctor":
            return doctor(ROOT, args)
        python = str(set_up(ROOT))
        if verb == "lab":
            return lab(ROOT, python, args)
        if verb == "test" and args[:1] == ["--launch"]:
            return hand_over(ROOT, [python, "-m", "tests.launch", *args[1:]], cwd=ROOT)
        if verb == "test":
            # A process for each processor; tests/conftest.py says how many those are, and what stays together.
            return hand_over(ROOT, [python, "-m", "pytest", "-n", "auto", *args], cwd=ROOT)
        # -P, where Python has it: not the modules of the folder the reader happens to be in.
        safe = ["-P"] if sys.version_info >= (3, 11) else []
        return hand_over(ROOT, [python, *safe, "-m", "autograde.cli", verb, *args])
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{explain(f'{type(error).__name__}: {error}', ROOT)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncourse.py: stopped. The same command goes on where this one was.", file=sys.stderr)
        return 130


def lab(root: Path, python: str, args: list[str]) -> int:
    """Build the notebooks if they are stale, then open JupyterLab on them."""
    if (root / "autograde" / "cli.py").is_file():
        build = [python, "-m", "autograde.cli", "build", "--if-stale"]
        code = subprocess.call(build, cwd=root, env=environment(root))
        if code != 0:
            raise Problem(
                f"the notebooks could not be built (exit code {code}; the reason is above).",
                "JupyterLab opens only on notebooks that match their lessons.",
                "mend the lesson, or undo the change to it, and run the same command again.",
            )
    if "--instructor" in args:
        args = [arg for arg in args if arg != "--instructor"]
    else:  # the folder's settings turn off what nbgrader adds to JupyterLab: to a student it is a riddle
        paths = [str(root / "helpers" / "lab"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
        os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    command = [python, "-m", "jupyterlab", f"--ServerApp.root_dir={root / 'notebooks'}", *args]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in args:
        print("You are root (in a container?), so JupyterLab is started with --allow-root.")
        command.append("--allow-root")
    return hand_over(root, command, cwd=root)


def doctor(root: Path, args: list[str]) -> int:
    """Print what is here and what is missing; installs nothing."""
    print(f"course.py   Python {platform.python_version()} at {sys.executable}")
    trouble = what_is_wrong(root)
    if trouble:
        print(f"            {platform.platform()}")
        print(f".venv       not usable: {trouble}")
        print("What to do  python course.py lab    (or test) makes it")
        return 1
    if not is_ready(root):
        print(".venv       half-made, or behind constraints.txt; python course.py lab brings it up to date")
    # As a file, not as helpers.doctor: it has to speak where helpers cannot be imported.
    return hand_over(root, [str(venv_python(root)), str(root / "helpers" / "doctor.py"), *args])


def hand_over(root: Path, command: list[str], cwd: Path | None = None) -> int:
    """Let `command` take over: its exit code and the reader's Ctrl-C are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.chdir(cwd or Path.cwd())
        os.execve(command[0], command, environment(root))
    child = subprocess.Popen(command, cwd=cwd, env=environment(root))  # Windows has no exec
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child gets it too, and decides
            continue


def environment(root: Path) -> dict[str, str]:
    """The environment of everything that runs in .venv: as if it were activated.

    PYTHONPATH and PYTHONHOME would put other packages before the pinned ones. A .venv does not look into the user's
    site-packages.
    """
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    env["VIRTUAL_ENV"] = str(root / ".venv")
    env["PATH"] = str(venv_python(root).parent) + os.pathsep + env.get("PATH", os.defpath)
    return env


# ---- Set-up: each step may be cut off anywhere; the next run repairs what it left -----------------------------


def set_up(root: Path) -> Path:
    """Make .venv what constraints.txt says, or find that it is so already; returns its Python."""
    if sys.version_info[:2] > NEWEST:
        newest = "{}.{}".format(*NEWEST)
        raise Problem(
            f"this is Python {platform.python_version()}, which is too new.",
            f"PyTorch and the other pinned packages have wheels for Python 3.10 to {newest}.",
            f"call one of these by name, for example:  python{newest} course.py lab",
        )
    if not is_ready(root):
        with one_at_a_time(root) as lock:
            if not is_ready(root):  # the run that was waited for may have done it
                install(root, lock)
    return venv_python(root)


def install(root: Path, lock: int) -> None:
    """Bring .venv to what constraints.txt says, from whatever state it is in."""
    began = time.monotonic()
    trouble = what_is_wrong(root)
    step(1, f"making .venv: {trouble}" if trouble else ".venv is here; bringing it up to date")
    if trouble:
        make_venv(root)
    stamp = wanted_stamp(root)
    write_stamp(root, {**stamp, "pins": "half-made"})
    drop_half_installed(root)
    pip(root, lock, "--upgrade", "pip")

    index, why = choose_index()
    step(2, f"torch and torchvision from {index or 'the default package index'}: {why}")
    if trouble:
        enough_room(root, 3 if index or platform.system() != "Linux" else 9)
    # Without dependencies: those come with the rest, in their pinned versions, from the default index. One retry,
    # because the rest would bring these two as well.
    if index and run_pip(root, lock, "--no-deps", "--index-url", index, "--retries", "1", "torch", "torchvision"):
        print("      That failed, so both come from the default package index.", flush=True)

    step(3, "everything else, as constraints.txt pins it")
    pip(root, lock, "-e", EVERYTHING)

    step(4, "checking that torch and torchvision work together")
    trouble = pair_trouble(root)
    if trouble:
        print(f"      {trouble}\n      so both come again, from the default package index", flush=True)
        pip(root, lock, "--force-reinstall", "torch", "torchvision")
        trouble = pair_trouble(root)
    if trouble:
        raise Problem(
            f"torch and torchvision do not work together: {trouble}",
            "the course needs the versions in constraints.txt, both from the same index.",
            "delete the folder .venv and run the same command again.",
        )
    write_stamp(root, stamp)
    print(f"Done in {time.monotonic() - began:.0f} s.\n", flush=True)


def step(number: int, text: str) -> None:
    """Say which of the four steps begins."""
    print(f"[{number}/4] {text}", flush=True)


def what_is_wrong(root: Path) -> str:
    """Why .venv cannot be used at all and must be made anew; empty if it can."""
    python = venv_python(root)
    if not (root / ".venv").exists():
        return "there is none yet"
    if not python.exists():  # also a symlink to a Python that is gone
        return "its Python is gone"
    made_for = read_stamp(root).get("root", str(root))
    if made_for != str(root):
        return f"it was copied or moved here from {made_for}"
    probe = "import sys, pip._internal.cli.main; print('{}.{}'.format(*sys.version_info))"
    try:
        result = subprocess.run([str(python), "-I", "-c", probe], capture_output=True, text=True)
    except OSError:
        return "its Python does not start"
    if result.returncode != 0:
        return "its Python or its pip does not work"
    version, here = result.stdout.strip(), "{}.{}".format(*sys.version_info)
    return "" if version == here else f"it was made by Python {version}, and this is Python {here}"


def make_venv(root: Path) -> None:
    """Make an empty .venv in place of whatever is there."""
    if (root / ".venv").is_symlink():  # --clear goes through a link and would empty what another project may use
        raise Problem(
            f"{root / '.venv'} is a link to {os.path.realpath(root / '.venv')}, which cannot be used as it is.",
            "making it anew would empty that folder, and the course empties no folder that is not its own.",
            "delete the link .venv (not the folder it leads to) and run the same command again.",
        )
    # Called as .venv/bin/python course.py, the Python that made .venv has to make it again.
    inside = Path(sys.prefix).resolve() == (root / ".venv").resolve()
    base = getattr(sys, "_base_executable", sys.executable) if inside else sys.executable
    command = [base, "-m", "venv", "--clear", str(root / ".venv")]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    output = result.stdout + result.stderr
    if result.returncode != 0 and re.search("ensurepip|No module named venv", output):
        name = "python{}.{}-venv".format(*sys.version_info)
        raise Problem(
            f"the Python at {base} cannot make a virtual environment: its venv or ensurepip module is missing.",
            "the course installs into .venv and never into your system.",
            f"on Debian and Ubuntu:  apt install {name}   Elsewhere: use the Python from python.org.",
        )
    if result.returncode != 0:
        raise explain(output, root)


def drop_half_installed(root: Path) -> None:
    """Forget packages whose installation was cut off, which pip would take for installed."""
    for site in [*root.glob(".venv/lib/python*/site-packages"), *root.glob(".venv/Lib/site-packages")]:
        for info in site.glob("*.dist-info"):
            if not (info / "INSTALLER").exists():  # pip writes it after all the package's files
                shutil.rmtree(info)
        for leftover in site.glob("~*"):  # what pip had set aside to replace
            shutil.rmtree(leftover, ignore_errors=True)


# ---- torch and torchvision -----------------------------------------------------------------------------------


def nvidia_driver(proc: str = "/proc/driver/nvidia/version") -> str:
    """Where an NVIDIA driver is seen; empty if there is none."""
    return proc if os.path.exists(proc) else shutil.which("nvidia-smi") or ""


def choose_index() -> tuple[str | None, str]:
    """The index to take torch and torchvision from (None: pip's default), and why, for one line."""
    if platform.system() != "Linux":
        return None, "on this system it holds no CUDA build"
    driver = nvidia_driver()
    if driver:
        return None, f"an NVIDIA driver is here ({driver}), so the CUDA build"
    return CPU_INDEX, "no NVIDIA driver is seen, and this build is gigabytes smaller"


PAIR_CHECK = """
import sys, torch, torchvision
found = [torch.__version__, torchvision.__version__]
if len({version.partition("+")[2] for version in found} - {""}) > 1:
    sys.exit("torch {} and torchvision {} are different builds".format(*found))
boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0]])
if torchvision.ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.5).tolist() != [0]:
    sys.exit("torchvision.ops.nms gives a wrong answer")
"""


def pair_trouble(root: Path) -> str:
    """Why .venv's torch and torchvision do not work together; empty if they do.

    Their metadata fits even when only one is built for CUDA, and then torchvision fails at import.
    """
    command = [str(venv_python(root)), "-I", "-c", PAIR_CHECK]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if result.returncode == 0:
        return ""
    return (result.stderr.strip() or f"exit code {result.returncode}").splitlines()[-1]


# ---- pip -----------------------------------------------------------------------------------------------------

# What of pip's lines belongs into a log: large downloads, what is installed, complaints.
LOGGED = re.compile(r"\s*(Downloading .*\((\d{2,}\.\d MB|[\d.]+ GB)\)|Installing collected|WARNING: Retrying|ERROR:)")


def pip(root: Path, lock: int, *args: str) -> None:
    """`pip install`; a failure becomes a Problem."""
    output = run_pip(root, lock, *args)
    if output:
        raise explain(output, root)


def run_pip(root: Path, lock: int, *args: str) -> str:
    """`pip install` within constraints.txt; returns what it said if it failed, else nothing."""
    # Wheels only: every pinned version has them for the systems named in `explain`; elsewhere a compiler would fail.
    command = [str(venv_python(root)), "-m", "pip", "install", "--only-binary", ":all:", *args]
    command += ["-c", "constraints.txt", "--disable-pip-version-check", "--no-input"]
    # The reader's settings of pip (proxy, mirror, certificate) stay, but for --user, which fails in a .venv.
    # The build constraint pins hatchling, which makes the editable install.
    env = {**environment(root), "PIP_USER": "0", "PIP_BUILD_CONSTRAINT": "constraints.txt"}
    live = sys.stdout.isatty() and os.environ.get("CI") != "true"
    if live:  # pip draws its bars on the terminal itself; its complaints come through here
        streams = {"stderr": subprocess.PIPE}
    else:
        command += ["--progress-bar", "off"]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    if fcntl:  # pip holds the lock too: if this process is killed, the next run waits until pip has ended
        streams["pass_fds"] = (lock,)
    said = []
    with subprocess.Popen(command, cwd=root, env=env, text=True, errors="replace", **streams) as process:
        for line in process.stderr if live else process.stdout:
            said.append(line)
            if live:
                sys.stderr.write(line)
            elif LOGGED.match(line):
                print(f"      {line.strip()[:110]}", flush=True)
    return "" if process.returncode == 0 else "".join(said) or f"pip ended with exit code {process.returncode}"


def explain(output: str, root: Path) -> Problem:
    """Turn the output of a failed pip, venv or system call into what the reader can do about it."""

    def said(*patterns: str) -> str:
        """The last line that holds one of the patterns, or nothing."""
        lines = [line for line in output.splitlines() if re.search("|".join(patterns), line, re.IGNORECASE)]
        return lines[-1].strip() if lines else ""

    if said("No space left on device", "Errno 28", "not enough space", "quota exceeded"):
        return no_room(root)
    denied = said("Permission denied", "Errno 13", "Access is denied", "Read-only file system", "WinError (5|32)")
    if denied:
        return Problem(
            f"a file in {root} cannot be written: {denied}",
            "course.py writes .venv beside itself, and on Windows cannot replace a file in use.",
            "close JupyterLab and every notebook, or move the course to a folder of your own; then run it again.",
        )
    silence = said(
        "name resolution", "Name or service not known", "nodename nor servname", "getaddrinfo", "unreachable",
        "NewConnectionError", "NameResolutionError", "ConnectTimeout", "ReadTimeout", "Connection refused",
        "Connection aborted", "Connection reset", "Max retries", "ProxyError", "SSLError", "CERTIFICATE_VERIFY",
        "IncompleteRead", "IncompleteDownload",
    )  # fmt: skip
    if silence:
        return Problem(
            f"no network: pip could not reach the package index.\n  It said:    ...{silence[-100:]}",
            "the first run downloads about 1 GB (4 GB with CUDA); later runs need no network.",
            "check the connection (behind a proxy, set HTTPS_PROXY) and run the same command again; what was\n"
            "              installed stays.",
        )
    missing = re.search(r"(?:No matching distribution found for|available for your environment:)\s+(\S+)", output)
    if missing:
        newest = "{}.{}".format(*NEWEST)
        return Problem(
            f"{missing.group(1)} has no wheel for Python {platform.python_version()} on "
            f"{platform.system()} {platform.machine()}.",
            f"the pinned versions have wheels for 64-bit Python 3.10 to {newest} on Linux (glibc 2.28 or later), "
            "Windows and macOS 14 or later on Apple silicon.",
            f"call such a Python by name (python{newest} course.py lab), or use Binder or Colab: see README.md.",
        )
    return Problem(
        f"installing failed. The last lines:\n\n{''.join(output.splitlines(keepends=True)[-12:]).rstrip()}\n",
        "what is in .venv is left as it is, and a second run repairs it.",
        "run the same command again; if it fails the same way, delete the folder .venv and run it once more.",
    )


def enough_room(root: Path, gigabytes: int) -> None:
    """Raise a Problem before a download that cannot fit."""
    if shutil.disk_usage(root).free < gigabytes * 1e9:
        raise no_room(root, gigabytes)


def no_room(root: Path, gigabytes: int = 9) -> Problem:
    """The Problem of a disk that is too full."""
    free = shutil.disk_usage(root).free / 1e9
    return Problem(
        f"no disk space: {free:.1f} GB are free at {root}.",
        f"this installation needs up to {gigabytes} GB there (3 without CUDA, 9 with it), and pip unpacks in "
        f"{tempfile.gettempdir()}.",
        "free some space (TMPDIR=another/folder moves where pip unpacks) and run the same command again.",
    )


# ---- The stamp, the lock, paths ------------------------------------------------------------------------------


def venv_python(root: Path) -> Path:
    """The Python of .venv."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def wanted_stamp(root: Path) -> dict[str, str]:
    """What .venv has to be: any difference from what is written in it means that something is to be installed."""
    # Of pyproject.toml, what stands before the tools' settings: the dependencies.
    project = (root / "pyproject.toml").read_text(encoding="utf-8").split("\n[tool.")[0]
    pinned = (root / "constraints.txt").read_text(encoding="utf-8") + project
    return {
        "root": str(root),  # an editable install and a .venv's scripts hold the path they were made for
        "platform": f"{sys.platform} {platform.machine()}",
        "pins": hashlib.sha256(pinned.encode()).hexdigest(),
    }


def read_stamp(root: Path) -> dict[str, str]:
    """What .venv was made as; empty if that is unknown."""
    try:
        return json.loads((root / ".venv" / "course.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or not ours
        return {}


def write_stamp(root: Path, stamp: dict[str, str]) -> None:
    """Say in .venv what it was made as; half a stamp counts as none."""
    (root / ".venv" / "course.json").write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def is_ready(root: Path) -> bool:
    """Is everything installed? Takes some tenths of a second."""
    return read_stamp(root) == wanted_stamp(root) and not what_is_wrong(root)


@contextlib.contextmanager
def one_at_a_time(root: Path) -> Iterator[int]:
    """Hold .venv.lock while .venv is written. The system frees it when its holder ends, however it ends."""
    with open(root / ".venv.lock", "w") as file:
        if not try_lock(file.fileno()):
            print("Another course.py is installing here; waiting for it to finish.", flush=True)
            while not try_lock(file.fileno()):
                time.sleep(0.5)
        yield file.fileno()


def try_lock(file: int) -> bool:
    """Take the lock if nobody holds it. A file system without locks counts as free."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    except OSError as error:
        return not isinstance(error, BlockingIOError | PermissionError)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
