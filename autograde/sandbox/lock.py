"""Locks the calling process in: from then on it can compute, read what it is shown, and write to one folder.

Each wall is the kernel's own, and holds for root as for anybody: limits of resources, no capabilities, Landlock for
files, seccomp for everything else. None needs a namespace, so it works in a container, too.

What they do not hide: names of files, their sizes and dates can be asked for everywhere (Landlock knows no right to
that), and so can the load of the machine. No answer is a name, a size or a date.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 2**20
LANDLOCK = 3  # the oldest interface in which truncating a file is denied, too; Linux 6.2

# What Python, numpy and torch call to compute, and to read and write files that Landlock lets them reach. Everything
# else is refused with EPERM: sockets, processes, tracing, mounts, links, modes, keys, io_uring, shared memory.
FILES = (
    *("read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "lseek"),
    *("open", "openat", "close", "close_range", "stat", "fstat", "lstat", "newfstatat", "statx", "access", "faccessat"),
    *("faccessat2", "getdents64", "getcwd", "readlink", "readlinkat", "dup", "dup2", "dup3", "flock", "statfs"),
    *("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "truncate", "ftruncate"),
    *("fsync", "fdatasync", "fadvise64", "umask", "pipe", "pipe2", "fstatfs", "copy_file_range"),
    *("chdir", "fchdir", "sendfile"),
)
MEMORY = ("mprotect", "munmap", "mremap", "brk", "madvise", "mincore", "msync", "membarrier", "get_mempolicy")
THREADS = (
    *("futex", "futex_waitv", "rseq", "set_robust_list", "get_robust_list", "set_tid_address", "sched_yield"),
    *("sched_getaffinity", "sched_get_priority_max", "sched_get_priority_min", "sched_getscheduler", "sched_getparam"),
    *("getpriority", "gettid", "exit", "exit_group", "arch_prctl", "restart_syscall"),
)
WAITING = (
    *("nanosleep", "clock_nanosleep", "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl"),
    *("epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn"),
    *("rt_sigtimedwait", "rt_sigsuspend", "rt_sigpending", "sigaltstack", "setitimer", "getitimer", "alarm", "pause"),
    *("timer_create", "timer_settime", "timer_gettime", "timer_delete", "timerfd_create", "timerfd_settime"),
)
ASKING = (
    *("clock_gettime", "clock_getres", "gettimeofday", "time", "times", "getrusage", "getrlimit", "getrandom", "uname"),
    *("sysinfo", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getpgrp", "getpgid"),
    *("getsid", "getresuid", "getresgid", "capget", "getcpu", "wait4", "waitid"),
)
SOCKET = ("recvfrom", "recvmsg", "sendto", "sendmsg", "shutdown", "getsockopt", "getsockname", "getpeername")  # its own


class LockError(OSError):
    """This system cannot lock a process in; the message says what is missing."""


@dataclass(frozen=True)
class Limits:
    """What a process may use, in all.

    Attributes:
        cpu_seconds: of all its threads together; it is ended after that.
        memory: bytes that it may ask for beyond what it has.
        addresses: bytes beyond what it has that may stand for anything, such as the stacks of threads and files.
        file_size: bytes of one file.
        files: that are open at once.
    """

    cpu_seconds: int = 30
    memory: int = 2048 * MEGABYTE
    addresses: int = 8192 * MEGABYTE
    file_size: int = 8 * MEGABYTE
    files: int = 128


def missing(in_namespaces: bool = False) -> list[str]:
    """Why a process cannot be locked in here, one sentence each; none where it can.

    Args:
        in_namespaces: it has a file system of its own (`autograde.sandbox.namespaces`), and can do without Landlock.
    """
    if sys.platform != "linux":
        return [f"{sys.platform} has no Landlock and no seccomp, which Linux has"]
    found = []
    if not in_namespaces and (why := without_landlock()):
        found.append(f"{why}, and bubblewrap can make no namespaces in its place")
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, RuntimeError) as error:
        found.append(f"no seccomp: {error}. It needs pyseccomp and libseccomp (Debian: libseccomp2)")
    return found


def without_landlock() -> str:
    """Why there is no Landlock here; nothing where there is."""
    try:
        import py_landlock

        version = py_landlock.get_abi_version()
    except ImportError as error:
        return f"no Landlock: {error}: python -m pip install py-landlock"
    except py_landlock.LandlockError as error:
        return f"no Landlock: {error}"
    if version < LANDLOCK:
        return f"Landlock of this kernel is version {version}, and {LANDLOCK} is needed, which Linux 6.2 has"
    return ""


def readable() -> list[Path]:
    """What code needs to import installed libraries: system, interpreter, site-packages."""
    interpreter = {sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), *sysconfig.get_paths().values()}
    # A .pth file, or the user's own site-packages, brings in libraries that lie elsewhere.
    interpreter |= {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}
    folders = [Path(path) for path in ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", *interpreter)]
    return [path for path in dict.fromkeys(folders) if path.exists()]


def without(paths: Iterable[Path], hidden: Sequence[Path]) -> list[Path]:
    """These paths; a folder that holds something hidden, in its parts without that."""
    shown = []
    for path in paths:
        if not any(secret.is_relative_to(path) for secret in hidden):
            shown.append(path)
        elif path not in hidden:
            shown += without(sorted(path.iterdir()), hidden)
    return shown


DEVICES = ("/dev/null", "/dev/urandom", "/dev/random")


def lock(
    read: Sequence[Path],
    hidden: Sequence[Path],
    write: Path,
    limits: Limits | None = None,
    in_namespaces: bool = False,
) -> list[str]:
    """Lock this process in, for good, and return which walls are up.

    Args:
        read: files and folders it may read, beside `readable()`.
        hidden: what in them it may not.
        write: the one folder in which it may make, write and remove files.
        limits: what it may use.
        in_namespaces: whether it has a file system of its own, with nothing in it that it may not read.

    Raises:
        LockError: one of the walls cannot be put up. The process must not go on then.
    """
    if why := missing(in_namespaces):
        raise LockError("; ".join(why))
    files = ["namespaces"] if in_namespaces else []
    try:
        _limit(limits or Limits())
        if without_landlock():
            _hide(hidden, write)
            _drop_capabilities()
        else:
            _drop_capabilities()
            files.append(f"Landlock {_landlock(without([*readable(), *read], hidden), write)}")
        _seccomp()
    except Exception as error:
        raise LockError(f"a process cannot be locked in here: {type(error).__name__}: {error}") from error
    return ["limits", "no capabilities", "no new privileges", *files, "seccomp"]


def _limit(limits: Limits) -> None:
    import resource

    import psutil

    has = psutil.Process().memory_info()
    # One second to say where it is, after SIGXCPU.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    for what, most in (
        (resource.RLIMIT_DATA, has.data + limits.memory),  # private pages
        (resource.RLIMIT_AS, has.vms + limits.addresses),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (most, most))


# Of mount(2).
NEW_MOUNTS, DETACH, READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND = 0x20000, 2, 1, 2, 4, 32, 4096


def _hide(hidden: Sequence[Path], write: Path) -> None:
    """Where there is no Landlock: take away `/proc` and these folders, and what is beside the one to write in.

    A process in namespaces can, in a mount namespace of its own.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    own, above = os.fsencode(write), os.fsencode(write.parent)
    failed = libc.unshare(NEW_MOUNTS) or libc.umount2(b"/proc", DETACH)
    for path in hidden:
        failed = failed or libc.mount(b"none", os.fsencode(path), b"tmpfs", READ_ONLY, None)
    failed = failed or libc.mount(own, own, None, BIND, None)
    failed = failed or libc.mount(None, above, None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICES, None)
    if failed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.chdir(write)  # what is mounted there now


def _drop_capabilities() -> None:
    import pyprctl

    pyprctl.set_no_new_privs()
    pyprctl.set_dumpable(False)  # nobody of the same user reads its memory
    pyprctl.cap_ambient_clear_all()
    if pyprctl.CapState.get_current().effective:
        for capability in pyprctl.capbset_probe():
            pyprctl.capbset_drop(capability)
    pyprctl.CapState().set_current()


def _landlock(read: Sequence[Path], write: Path) -> int:
    from py_landlock import AccessFs, Landlock

    wall = Landlock(strict=False)
    reading = AccessFs.READ_FILE | AccessFs.READ_DIR
    for path in read:
        wall.add_path_rule(path, access=reading if path.is_dir() else AccessFs.READ_FILE)
    wall.add_path_rule("/dev/zero", access=AccessFs.READ_FILE)  # mapped to be written to, it would be such memory
    for device in DEVICES:
        wall.add_path_rule(device, access=AccessFs.READ_FILE | AccessFs.WRITE_FILE)
    making = AccessFs.WRITE_FILE | AccessFs.MAKE_DIR | AccessFs.MAKE_REG | AccessFs.TRUNCATE | AccessFs.REFER
    wall.add_path_rule(write, access=reading | making | AccessFs.REMOVE_FILE | AccessFs.REMOVE_DIR)
    wall.apply()
    return int(wall.abi_version)


def _seccomp() -> None:
    import pyseccomp as seccomp

    no = seccomp.ERRNO(errno.EPERM)
    filter_ = seccomp.SyscallFilter(no)
    for name in (*FILES, *MEMORY, *THREADS, *WAITING, *ASKING, *SOCKET):
        filter_.add_rule(seccomp.ALLOW, name)
    # Memory of its own, or of a file; MAP_SHARED of neither would count in no limit.
    filter_.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, 0x01, 0x00))
    filter_.add_rule(seccomp.ALLOW, "mmap", seccomp.Arg(3, seccomp.MASKED_EQ, 0x21, 0x01))
    own, thread = os.getpid(), 0x00010000  # CLONE_THREAD
    filter_.add_rule(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, thread, thread))
    filter_.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # so that glibc takes `clone`, whose flags can be seen
    filter_.add_rule(seccomp.ALLOW, "tgkill", seccomp.Arg(0, seccomp.EQ, own))
    filter_.add_rule(seccomp.ALLOW, "kill", seccomp.Arg(0, seccomp.EQ, own))
    filter_.add_rule(seccomp.ALLOW, "prlimit64", seccomp.Arg(2, seccomp.EQ, 0))  # to ask, not to set
    for request in (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451):  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO*CLEX
        filter_.add_rule(seccomp.ALLOW, "ioctl", seccomp.Arg(1, seccomp.EQ, request))
    for command in (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032, 1033, 1034):  # not F_SETOWN and its kin, which send signals
        filter_.add_rule(seccomp.ALLOW, "fcntl", seccomp.Arg(1, seccomp.EQ, command))
    for option in (15, 16):  # PR_SET_NAME, PR_GET_NAME
        filter_.add_rule(seccomp.ALLOW, "prctl", seccomp.Arg(0, seccomp.EQ, option))
    filter_.load()
