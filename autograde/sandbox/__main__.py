"""`python -m autograde.sandbox`: try for real what students' code may not do, and say which walls stand.

Exits with 1 where one of them is missing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from autograde.build_cache import LESSONS, ROOT
from autograde.sandbox.lock import MEGABYTE, Limits
from autograde.sandbox.locked import NotRun, SandboxError, Warm
from helpers.checks.process import Lost
from helpers.checks.subject import Raised

LIMITS = Limits(cpu_seconds=3, memory=512 * MEGABYTE)

# What is tried, by name: the body of a function of two paths, a file that is not for students and the folder it is in.
# It must raise, or end its process.
DENIED = {
    "read a key": f"return open({str(LESSONS / 'keys' / '02_overlap.yaml')!r}).read()",
    "read an exercise": f"return open({str(ROOT / 'helpers' / 'exercises' / 'dice.py')!r}).read()",
    "read a reference": f"return open({str(ROOT / 'helpers' / 'reference' / 'overlap.py')!r}).read()",
    "read the questions": f"return str(__import__('os').listdir({str(ROOT / 'helpers' / 'quiz' / 'bank')!r}))",
    "import an exercise": "import helpers.exercises; return helpers.exercises.load('dice').name",
    "import a reference": "from helpers.reference.losses import iou_loss; return iou_loss.__name__",
    "read another file": "return open(file).read()",
    "list another folder": "return str(__import__('os').listdir(folder))",
    "read the users": "return open('/etc/passwd').read()",
    "read a process": "return open('/proc/self/environ').read()",
    "read the judge": "import os; return open(f'/proc/{os.getppid()}/cmdline').read()",
    "write another file": "open(file, 'a').write('x')",
    "make a file elsewhere": "open(folder + '/new', 'w').write('x')",
    "write into the course": f"open({str(ROOT / 'helpers' / 'new.py')!r}, 'w').write('x')",
    "remove a file": "__import__('os').remove(file)",
    "rename a file": "__import__('os').rename(file, folder + '/other')",
    "truncate a file": "__import__('os').truncate(file, 0)",
    "make a symbolic link": "__import__('os').symlink(file, 'link')",
    "make a hard link": "__import__('os').link(file, 'link')",
    "change a mode": "open('own', 'w').close(); __import__('os').chmod('own', 0o777)",
    "make a device": "import os; os.mknod('device', 0o600 | 0o020000, os.makedev(1, 3))",
    "open a socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM)",
    "open a datagram socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "open a Unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "look up a name": "import socket; return str(socket.getaddrinfo('localhost', 80))",
    "fork": "import os; return os.fork()",
    "start a program": "import subprocess; return subprocess.run(['/bin/true']).returncode",
    "become a program": "import os; os.execv('/bin/true', ['true'])",
    "kill the judge": "import os; os.kill(os.getppid(), 0)",
    "kill everything": "import os; os.kill(-1, 0)",
    "trace": "call('ptrace', 101, 0, 0, 0, 0)",
    "read the judge's memory": "call('process_vm_readv', 310, parent, 0, 0, 0, 0, 0)",
    "queue work to the kernel": "call('io_uring_setup', 425, 1, 0)",
    "load a program into the kernel": "call('bpf', 321, 0, 0, 0)",
    "make a namespace": "call('unshare', 272, 0x10000000)",
    "mount": "call('mount', 165, 0, 0, 0, 0, 0)",
    "read a key ring": "call('keyctl', 250, 0, -3, 0)",
    "become another user": "import os; os.setuid(65534)",
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))",
    "write a large file": "open('large', 'wb').write(bytes(64 * 2**20)); return open('large').seek(0, 2)",
    "open many files": "return len([open('/dev/null') for _ in range(1000)])",
    "fill the memory": "import torch; return float(torch.ones(2**30).sum())",
    "never end": "while True: pass",
}

CALL = """
def attempt(file, folder):
    import ctypes, os
    parent = os.getppid()
    def call(name, number, *arguments):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(number, *arguments) < 0 and ctypes.get_errno() == 1:
            raise PermissionError(name)
    {}
    return "reached"
"""


def tried(what: str, warm: Warm, file: Path) -> str:
    """How the attempt ended: what denied it, or nothing where nothing did."""
    source = CALL.format(DENIED[what].replace("\n", "\n    "))
    try:
        with warm.start("attempt", [(source, what, 1)], {}, LIMITS, guarded=False) as subject:
            subject.begin()
            value = subject.call((str(file), str(file.parent)), {}).value
    except NotRun as why:
        return str(why)
    except Lost as lost:
        return lost.reason
    denied = isinstance(value, Raised) and (value.kind != "FileNotFoundError" or _is_hidden(value.message, file.parent))
    return f"{value.kind}: {value.message}" if denied else ""


def _is_hidden(message: str, folder: Path) -> bool:
    """Whether what was not found in there is there: what is not shows nothing about the walls."""
    path = Path(message.partition("'")[2].partition("'")[0])
    return path.exists() or any(path.is_relative_to(gone) for gone in (folder, "/proc"))


def main() -> int:
    """Try all, and print what happened."""
    try:
        warm = Warm()
    except SandboxError as error:
        print(error)
        return 1
    failed = 0
    with warm, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "secret"
        file.write_text("not for students")
        for what in DENIED:
            how = tried(what, warm, file)
            failed += not how
            print(f"{'denied' if how else 'NOT DENIED':11s} {what:32s} {how[:80]}")
        print(f"in force: {', '.join(warm.walls)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
