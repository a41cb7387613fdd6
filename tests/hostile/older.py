"""`python -m tests.hostile.older MODULE …`: run a module as on a Linux older than Landlock, which had no such calls."""

import errno
import runpy
import sys


def confine() -> None:
    """Take Landlock from this process and all that it starts."""
    import pyseccomp as seccomp

    filter_ = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"):
        filter_.add_rule(seccomp.ERRNO(errno.ENOSYS), name)
    filter_.load()


if __name__ == "__main__":
    confine()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
