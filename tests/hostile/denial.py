"""Answers that want to stop the others: that never end, fill memory or disk, crash, or reach other processes."""

from __future__ import annotations

from tests.hostile.case import ENDED, OUT_OF_MEMORY, REFUSED, RIGHT, Case, attack, source

TIMEOUT = ("timeout",)
UNSENDABLE = ("wrong", "error", "memory", "crashed")


def then_right(body: str) -> str:
    """An answer that is right if the function `attempt` gets through."""
    return f"{source(body)}\n\n{RIGHT['iou'].replace('):', '):' + chr(10) + '    attempt()', 1)}"


# Lets a library call what Python refuses to be called from here, so that the kernel's walls are what is tried.
BY_LIBRARY = source("""
    import contextlib, ctypes, os

    def by_library(call, *arguments):
        return contextlib.contextmanager(call)(*arguments).gen

    def kernel(*arguments):
        return by_library(getattr, by_library(ctypes.CDLL, None), "syscall")(*arguments)
""")


def in_c(body: str) -> str:
    """An answer that can call C."""
    return f"{BY_LIBRARY}\n\n{source(body)}"


def calls(name: str, number: int, *arguments: str) -> str:
    """An answer that is right if the kernel does what it asks."""
    return f"{BY_LIBRARY}\n\n" + then_right(f"""
        def attempt():
            if kernel({number}, {", ".join(arguments)}) < 0:
                raise PermissionError("{name}")
    """)


LIMITED: list[Case] = [
    # ---- time
    attack("never ends", "loops for ever", "def iou(pred, target):\n    while True:\n        pass", TIMEOUT, slow=True),
    attack(
        "never ends and takes no interrupt",
        "loops for ever, and catches whatever is to stop it",
        """
        def iou(pred, target):
            while True:
                try:
                    while True:
                        pass
                except BaseException:
                    pass
        """,
        TIMEOUT,
        slow=True,
    ),
    attack(
        "ignores every signal",
        "ignores every signal that can be ignored, SIGXCPU among them, and loops",
        """
        import signal

        def iou(pred, target):
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True:
                pass
        """,
        TIMEOUT,
        slow=True,
    ),
    attack(
        "never ends inside of C",
        "counts to a number with a billion digits, in one call that no interrupt reaches",
        "def iou(pred, target):\n    return 7 ** 10 ** 9",
        (*TIMEOUT, "memory"),
        slow=True,
    ),
    attack(
        "regular expression without end",
        "matches a pattern that takes longer than the universe",
        'import re\n\ndef iou(pred, target):\n    return re.match("(a+)+$", 64 * "a" + "b")',
        TIMEOUT,
        slow=True,
    ),
    attack(
        "never ends in many threads",
        "starts threads that loop for ever, and loops itself",
        """
        import threading

        def spin():
            while True:
                pass

        def iou(pred, target):
            for _ in range(16):
                threading.Thread(target=spin, daemon=True).start()
            spin()
        """,
        TIMEOUT,
        slow=True,
    ),
    attack(
        "threads that go on",
        "answers at once, and leaves threads that loop for ever",
        """
        import threading

        def spin():
            while True:
                pass

        def iou(pred, target):
            threading.Thread(target=spin).start()
            return 0.5
        """,
        ("wrong", "timeout", "error"),
        slow=True,
    ),
    attack(
        "never ends in its cell",
        "loops for ever before there is a function",
        "def iou(pred, target):\n    return ready\n\nready = sum(0 for _ in iter(int, 1))",
        TIMEOUT,
        slow=True,
    ),
    attack(
        "generator without end",
        "returns the sum of a generator that never ends",
        "import itertools\n\ndef iou(pred, target):\n    return sum(0.0 for _ in itertools.count())",
        TIMEOUT,
        slow=True,
    ),
    attack(
        "message without end",
        "raises an exception whose text never ends",
        """
        class Endless(Exception):
            def __str__(self):
                while True:
                    pass

        def iou(pred, target):
            raise Endless
        """,
        TIMEOUT,
        slow=True,
    ),
    attack(
        "sleeps",
        "sleeps for thirty years, which uses no processor",
        "import time\n\ndef iou(pred, target):\n    time.sleep(1e9)\n    return 0.5",
        ("error", "timeout"),
        slow=True,
    ),
    attack(
        "sleeps in its cell",
        "sleeps before there is a function, and again when it is woken",
        """
        import time

        def sleep():
            while True:
                try:
                    time.sleep(1e6)
                except BaseException:
                    pass

        awake = sleep()

        def iou(pred, target):
            return awake
        """,
        ("error", "timeout", "crashed"),
        slow=True,
    ),
    attack(
        "answers by the drop",
        "sends its reply a byte at a time, for as long as anybody waits",
        """
        import os, stat, struct, time

        def iou(pred, target):
            for number in range(3, 100):
                try:
                    if stat.S_ISSOCK(os.fstat(number).st_mode):
                        os.write(number, struct.pack("!II", 10**6, 0))
                        while True:
                            os.write(number, b" ")
                            time.sleep(1)
                except OSError:
                    pass
        """,
        ("error", "timeout", "crashed"),
        slow=True,
    ),
    attack(
        "recursion",
        "calls itself for ever",
        "def iou(pred, target):\n    return iou(pred, target)",
        ("error", "crashed"),
    ),
    attack(
        "recursion without a limit",
        "takes the limit away and calls itself until the stack is full",
        "import sys\n\ndef iou(pred, target):\n    sys.setrecursionlimit(10**9)\n    return iou(pred, target)",
        (*ENDED, "timeout", "memory"),
        slow=True,
    ),
    # ---- memory
    attack(
        "fills the memory with lists",
        "appends to a list until there is no room",
        "def iou(pred, target):\n    kept = []\n    while True:\n        kept.append(bytearray(10**7))",
        OUT_OF_MEMORY,
    ),
    attack(
        "keeps every memory error",
        "fills the memory, and begins again whenever it is refused",
        """
        def iou(pred, target):
            kept = []
            while True:
                try:
                    kept.append(bytearray(10**6))
                except MemoryError:
                    kept.append(len(kept))
        """,
        (*TIMEOUT, *OUT_OF_MEMORY),
        slow=True,
    ),
    attack(
        "fills the memory with torch",
        "asks torch for a tensor of 64 gigabytes",
        "import torch\n\ndef iou(pred, target):\n    return torch.ones(2**34)",
        OUT_OF_MEMORY,
    ),
    attack(
        "shares memory with itself",
        "maps memory that is shared with nobody, which no limit of data counts, and fills it",
        then_right("""
            import mmap

            kept = []

            def attempt():
                if not kept:
                    kept.append(mmap.mmap(-1, 3 * 2**30))
                    for _ in range(3 * 2**6):
                        kept[0].write(bytes(2**24))
        """),
        OUT_OF_MEMORY,
    ),
    attack(
        "maps a device",
        "maps /dev/zero shared, which is memory that no limit of data counts, and fills it",
        then_right("""
            import mmap

            kept = []

            def attempt():
                if not kept:
                    with open("/dev/zero", "r+b") as device:
                        kept.append(mmap.mmap(device.fileno(), 3 * 2**30))
                    for _ in range(3 * 2**6):
                        kept[0].write(bytes(2**24))
        """),
        OUT_OF_MEMORY,
    ),
    attack(
        "result of a hundred million",
        "returns a list of a hundred million numbers",
        "def iou(pred, target):\n    return 10**8 * [0.5]",
        (*UNSENDABLE, "timeout"),
        slow=True,
    ),
    attack(
        "lists a hundred thousand deep",
        "returns a list in a list, a hundred thousand times",
        "def iou(pred, target):\n    made = 0.5\n    for _ in range(10**5):\n        made = [made]\n    return made",
        UNSENDABLE,
    ),
    attack(
        "list that holds itself",
        "returns a list that is its own element",
        "def iou(pred, target):\n    made = []\n    made.append(made)\n    return made",
        UNSENDABLE,
    ),
    attack(
        "dict that doubles",
        "returns lists that hold the one before twice, forty times: few objects, a trillion numbers",
        "def iou(pred, target):\n    made = 0.5\n    for _ in range(40):\n        made = [made, made]\n    return made",
        (*UNSENDABLE, "timeout"),
    ),
    attack(
        "whole number of a million digits",
        "returns a number of a million digits",
        "def iou(pred, target):\n    return 10**10**6",
        UNSENDABLE,
    ),
    attack(
        "text of a hundred megabytes",
        "returns a text of a hundred megabytes",
        'def iou(pred, target):\n    return 10**8 * "x"',
        UNSENDABLE,
    ),
    attack(
        "tensor of a trillion by expand",
        "returns one number, expanded to a trillion",
        "import torch\n\ndef iou(pred, target):\n    return torch.ones(1, 1).expand(10**6, 10**6)",
        UNSENDABLE,
    ),
    attack(
        "tensor without storage",
        "takes the memory away from a tensor that is to be read",
        """
        import torch

        def iou(pred, target):
            made = torch.rand(1000, 1000)
            made.untyped_storage().resize_(0)
            return made
        """,
        UNSENDABLE,
    ),
    attack(
        "tensor of somebody's memory",
        "returns a view that reaches far beyond its storage",
        """
        import torch

        def iou(pred, target):
            made = torch.zeros(4)
            return torch.as_strided(made, (1000, 1000), (10**6, 1))
        """,
        UNSENDABLE,
    ),
    *(
        attack(
            f"{kind} tensor",
            f"returns a {kind} tensor",
            f"import torch\n\ndef iou(pred, target):\n    return {made}",
            UNSENDABLE,
        )
        for kind, made in {
            "sparse": "torch.eye(3).to_sparse()",
            "quantized": "torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.qint8)",
            "meta": "torch.empty(3, device='meta')",
            "nested": "torch.nested.nested_tensor([torch.rand(2), torch.rand(3)])",
            "complex": "torch.tensor(0.5 + 0.5j)",
            "conjugated": "torch.tensor([0.5 + 0.5j]).conj().imag",
        }.items()
    ),
    # ---- ends and crashes
    attack(
        "leaves Python", "ends its process with os._exit", "import os\n\ndef iou(pred, target):\n    os._exit(0)", ENDED
    ),
    attack("exits", "raises SystemExit", "import sys\n\ndef iou(pred, target):\n    sys.exit(0)", ENDED),
    attack(
        "segmentation fault",
        "reads address 0",
        in_c("def iou(pred, target):\n    return by_library(ctypes.string_at, 0)"),
        ENDED,
    ),
    attack(
        "aborts",
        "calls abort, with a core file and a stack dump to be written",
        in_c("""
            import faulthandler

            def iou(pred, target):
                faulthandler.enable()
                faulthandler.dump_traceback_later(0.001, repeat=True)
                by_library(getattr, by_library(ctypes.CDLL, None), "abort")()
        """),
        ENDED,
    ),
    attack(
        "kills itself",
        "sends itself SIGKILL",
        "import os\n\ndef iou(pred, target):\n    os.kill(os.getpid(), 9)",
        ENDED,
    ),
    attack(
        "stops itself",
        "stops itself with SIGSTOP, so that it neither runs nor ends",
        "import os\n\ndef iou(pred, target):\n    os.kill(os.getpid(), 19)\n    return 0.5",
        ("error", "crashed", "timeout"),
        slow=True,
    ),
    attack(
        "exit handlers and finalizers",
        "leaves code that runs when the process ends, and when objects go",
        """
        import atexit
        import signal
        import weakref

        class Late:
            def __del__(self):
                while True:
                    pass

        kept = [Late()]
        kept.append(kept)

        def iou(pred, target):
            atexit.register(lambda: [None for _ in iter(int, 1)])
            weakref.finalize(kept[0], print, "gone")
            signal.signal(signal.SIGTERM, lambda *args: iou(*args))
            signal.signal(signal.SIGINT, lambda *args: iou(*args))
            return 0.5
        """,
    ),
    attack(
        "lets an exception out that is none",
        "raises a BaseException whose text raises, too",
        """
        class Odd(BaseException):
            def __str__(self):
                raise self
            __repr__ = __str__
            __traceback__ = property(lambda self: 1 / 0)

        def iou(pred, target):
            raise Odd
        """,
        ENDED,
    ),
    attack(
        "exceptions in exceptions",
        "raises a group of groups of exceptions, each the cause of the next",
        """
        def iou(pred, target):
            error = ValueError("first")
            for _ in range(5000):
                made = RuntimeError("next")
                made.__cause__ = made.__context__ = error
                error = made
            raise error
        """,
        REFUSED,
    ),
    attack(
        "message of three megabytes",
        "raises an exception with three megabytes of text",
        "def iou(pred, target):\n    raise ValueError(3_000_000 * 'x')",
    ),
    attack(
        "steers the terminal",
        "raises an exception whose name and text clear the screen, change its title and turn letters round",
        """
        def iou(pred, target):
            text = "\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\r\\u202e\\u2066\\x08" * 20
            raise type(text, (Exception,), {})(text)
        """,
    ),
    attack(
        "page in a message",
        "raises an exception whose name and text are HTML that runs",
        """
        def iou(pred, target):
            text = "</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>` *x* [a](javascript:alert(1))"
            raise type(text, (Exception,), {})(text)
        """,
    ),
    attack(
        "floods the screen",
        "prints a hundred megabytes, on every way there is",
        """
        import os
        import sys

        def iou(pred, target):
            for _ in range(100):
                print(10**6 * "x")
                sys.__stderr__.write(1000 * "\\x1b[31mx")
                os.write(1, 1000 * b"\\x1b[31mx")
                os.write(2, 1000 * b"\\x1b[31mx")
            return 0.5
        """,
    ),
    attack(
        "warns without end",
        "warns and logs a hundred thousand times",
        """
        import logging
        import warnings

        def iou(pred, target):
            for number in range(10**5):
                warnings.warn(f"{number}")
                logging.error("%s", number)
            return 0.5
        """,
        (*REFUSED, "timeout"),
        slow=True,
    ),
    attack(
        "thousands of threads",
        "starts five thousand threads that sleep",
        """
        import threading
        import time

        def iou(pred, target):
            for _ in range(5000):
                threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
            return 0.5
        """,
        UNSENDABLE,
    ),
    attack(
        "thousands of files",
        "opens files until there are no more",
        """
        def iou(pred, target):
            kept = [open("/dev/null") for _ in range(100_000)]
            return 0.5 + len(kept)
        """,
    ),
]

# What meets the walls that differ from system to system.
WALLED: list[Case] = [
    # ---- disk
    attack(
        "fills the disk",
        "writes two gigabytes, in files that are each within the limit",
        then_right("""
            def attempt():
                for number in range(128):
                    with open(f"part-{number}", "wb") as file:
                        file.write(bytes(15 * 2**20))
        """),
        (*REFUSED, "crashed", "memory"),
    ),
    attack(
        "writes one large file",
        "writes a file of a gigabyte",
        then_right("""
            def attempt():
                with open("large", "wb") as file:
                    for _ in range(1024):
                        file.write(bytes(2**20))
        """),
        (*REFUSED, "crashed"),
    ),
    attack(
        "large file without a byte",
        "makes a file of a terabyte that holds nothing",
        then_right("""
            import os

            def attempt():
                os.truncate(os.open("hole", os.O_RDWR | os.O_CREAT), 2**40)
        """),
        (*REFUSED, "crashed"),
    ),
    attack(
        "removes its own folder",
        "removes the folder that it may write to, and everything around that",
        """
        import os
        import shutil

        def iou(pred, target):
            own = os.getcwd()
            os.chdir("/")
            shutil.rmtree(own, ignore_errors=True)
            shutil.rmtree(os.path.dirname(own), ignore_errors=True)
            return 0.5
        """,
    ),
    attack(
        "renames its own folder",
        "gives the folder that it may write to another name, for a file of its own in its place",
        then_right("""
            import os

            def attempt():
                own = os.getcwd()
                os.rename(own, own + "-other")
        """),
    ),
    attack(
        "symbolic link out",
        "links to the gradebook and to /etc/passwd, and reads and writes through the links",
        then_right("""
            import os

            def attempt():
                os.symlink("/etc/passwd", "link")
                open("link").read()
        """),
    ),
    attack(
        "hard link out",
        "makes a second name for a file of the course",
        then_right("""
            import os
            import helpers

            def attempt():
                os.link(helpers.__file__, "link")
        """),
    ),
    attack(
        "writes into the course",
        "writes into helpers, site-packages, and the folders of temporary files",
        then_right("""
            import os
            import tempfile
            import helpers
            import numpy

            def attempt():
                places = [helpers.__file__, numpy.__file__, "/tmp/x", "/var/tmp/x", "/dev/shm/x"]
                refused = 0
                for place in places:
                    try:
                        with open(os.path.join(os.path.dirname(place), "hostile.py"), "w") as file:
                            file.write("raise SystemExit")
                    except OSError:
                        refused += 1
                if refused == len(places):
                    raise PermissionError("nothing can be written")
        """),
    ),
    # ---- other processes
    attack(
        "forks",
        "makes another process",
        then_right("import os\n\ndef attempt():\n    if os.fork() == 0:\n        os._exit(0)"),
    ),
    attack(
        "fork bomb",
        "makes processes on every way there is, for ever",
        then_right("""
            import multiprocessing
            import os
            import subprocess

            def attempt():
                ways = (
                    os.fork,
                    os.forkpty,
                    lambda: os.posix_spawn("/bin/sh", ["sh"], {}),
                    lambda: multiprocessing.get_context("fork").Process(target=print).start(),
                    lambda: subprocess.Popen(["sleep", "60"]),
                )
                for way in ways:
                    try:
                        return way()
                    except OSError as error:
                        last = error
                raise last
        """),
        (*REFUSED, "crashed"),
    ),
    attack(
        "becomes another program",
        "replaces itself by a shell",
        then_right("""
            import os

            def attempt():
                os.execv("/bin/sh", ["sh", "-c", "sleep 1"])
        """),
        REFUSED,
    ),
    attack(
        "runs a shell from a cell",
        "runs shell lines and magics, whose output is the score",
        """
        def iou(pred, target):
            lines = get_ipython().getoutput("echo 0.4")
            get_ipython().system("kill -9 $PPID")
            return float(lines[0])
        """,
    ),
    attack(
        "kills the judge",
        "sends SIGKILL to its parent, its group, and everybody",
        then_right("""
            import os

            def attempt():
                for process in (os.getppid(), -1, 0, 1, -os.getpid()):
                    os.kill(process, 9)
        """),
        ENDED,
    ),
    attack(
        "kills by thread and by handle",
        "sends signals with tgkill, pidfd_send_signal, sigqueue and a file's owner",
        BY_LIBRARY
        + "\n\n"
        + then_right("""
            import fcntl

            def attempt():
                parent = os.getppid()
                reached = [
                    kernel(234, parent, parent, 9) == 0,
                    kernel(200, parent, 9) == 0,
                    kernel(129, parent, 9, 0) == 0,
                    kernel(434, parent, 0) >= 0,
                ]
                read, write = os.pipe()
                try:
                    fcntl.fcntl(read, fcntl.F_SETOWN, parent)
                    reached.append(True)
                except OSError:
                    pass
                if not any(reached):
                    raise PermissionError("no signal")
        """),
        REFUSED,
    ),
    attack(
        "stops the judge by priority",
        "gives its parent the lowest priority, and itself the highest",
        then_right("""
            import os

            def attempt():
                for action in (
                    lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
                    lambda: os.nice(-20),
                    lambda: os.sched_setaffinity(os.getppid(), {0}),
                ):
                    try:
                        return action()
                    except OSError as error:
                        last = error
                raise last
        """),
        REFUSED,
    ),
    attack(
        "traces",
        "attaches to its parent as a debugger does",
        calls("ptrace", 101, "16", "os.getppid()", "0", "0"),
        REFUSED,
    ),
    attack(
        "queues work to the kernel",
        "sets up io_uring, which passes by many filters",
        calls("io_uring", 425, "1", "bytes(120)"),
        REFUSED,
    ),
    attack("loads a program into the kernel", "calls bpf", calls("bpf", 321, "0", "bytes(72)", "72"), REFUSED),
    attack("new namespaces", "becomes root in a user namespace", calls("unshare", 272, "0x10000000"), REFUSED),
    attack(
        "file without a name",
        "makes files in memory, to be run or to fill it",
        calls("memfd_create", 319, 'b"x"', "0"),
        REFUSED,
    ),
    attack(
        "looks up a name",
        "asks the name service, which sends what it has found over the network",
        then_right('import socket\n\ndef attempt():\n    socket.getaddrinfo("localhost", 80)'),
        REFUSED,
    ),
    attack(
        "calls home",
        "opens sockets of every kind, to the network and to other processes",
        then_right("""
            import socket

            def attempt():
                for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
                        try:
                            return socket.socket(family, kind)
                        except OSError as error:
                            last = error
                raise last
        """),
        REFUSED,
    ),
    attack(
        "fetches a page",
        "fetches an address with urllib",
        then_right("""
            import urllib.request

            def attempt():
                urllib.request.urlopen("http://127.0.0.1:1/", timeout=1)
        """),
        REFUSED,
    ),
    attack(
        "raises its limits",
        "gives itself more time, more memory and more files",
        then_right("""
            import resource

            def attempt():
                resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
        """),
        REFUSED,
    ),
    attack(
        "becomes somebody else",
        "changes user, group and root folder",
        then_right("""
            import os

            def attempt():
                for action in (lambda: os.setuid(1), lambda: os.setgid(1), lambda: os.chroot(".")):
                    try:
                        return action()
                    except OSError as error:
                        last = error
                raise last
        """),
    ),
    attack(
        "endless forward",
        "a network that hands its input round in a circle",
        """
        class Up(nn.Module):
            def __init__(self, in_channels, skip_channels, out_channels):
                super().__init__()
                self.again = self.forward

            def forward(self, x, skip):
                return self.again(x, skip)
        """,
        ENDED,
        exercise="Up",
        lesson="07_skips",
    ),
    attack(
        "network of a hundred gigabytes",
        "asks for layers that fit into no memory",
        """
        class Up(nn.Module):
            def __init__(self, *channels):
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(10**5, 10**6) for _ in range(10)])

            def forward(self, x, skip):
                return skip
        """,
        OUT_OF_MEMORY,
        exercise="Up",
        lesson="07_skips",
    ),
    attack(
        "network of a hundred thousand layers",
        "registers a hundred thousand tiny layers, each of which is to be looked at",
        """
        class UNet(nn.Module):
            def __init__(self, in_channels, num_classes, base_channels=16, depth=4):
                super().__init__()
                self.layers = nn.ModuleList([nn.Conv2d(in_channels, in_channels, 1) for _ in range(100_000)])
                self.head = nn.Conv2d(in_channels, num_classes, 1)

            def forward(self, x):
                return self.head(x)
        """,
        (*REFUSED, "timeout", "memory"),
        exercise="UNet",
        lesson="07_skips",
        slow=True,
    ),
]

CASES = LIMITED + WALLED
