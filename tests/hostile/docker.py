"""`python -m tests.hostile.docker MODULE …`: run a module, confined as by Docker's defaults.

What is refused is what the profile in https://github.com/moby/profiles, `seccomp/default.json` (as of 02e898b), lets
nobody call who has Docker's default capabilities, on x86-64. Left out is the choice of values for `personality`. No
container is started: namespaces and a root folder of its own matter to nothing that is tried here.
"""

from __future__ import annotations

import contextlib
import errno
import runpy
import sys

# Of the calls that x86-64 has, those that the profile does not allow.
DENIED = """
    _sysctl acct add_key afs_syscall bpf clock_settime create_module delete_module fanotify_init finit_module fsconfig
    fsmount fsopen fspick get_kernel_syms get_mempolicy getpmsg init_module io_uring_enter io_uring_register
    io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages mount
    mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root
    process_madvise putpmsg query_module quotactl quotactl_fd reboot request_key security set_mempolicy
    set_mempolicy_home_node setdomainname sethostname setns settimeofday swapoff swapon sysfs syslog tuxcall umount2
    unshare userfaultfd uselib ustat vhangup vserver
"""
NAMESPACES = 0x7E020000  # CLONE_NEW*, as in the profile
FAMILIES = (38, 40)  # AF_ALG and AF_VSOCK
# See `DefaultCapabilities` in `daemon/pkg/oci/caps/defaults.go` of moby.
CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP"),
    *("NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"),
)


def confine() -> None:
    """Confine this process, and all that it starts."""
    import pyseccomp as seccomp

    filter_ = seccomp.SyscallFilter(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EPERM)
    for name in DENIED.split():
        with contextlib.suppress(ValueError, OSError):  # not known here
            filter_.add_rule(refused, name)
    for bit in (1 << k for k in range(32) if NAMESPACES >> k & 1):
        filter_.add_rule(refused, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, bit, bit))
    filter_.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for family in FAMILIES:
        filter_.add_rule(refused, "socket", seccomp.Arg(0, seccomp.EQ, family))
    _keep_capabilities()
    filter_.load()


def _keep_capabilities() -> None:
    import pyprctl

    kept = {getattr(pyprctl.Cap, name) for name in CAPABILITIES}
    now = pyprctl.CapState.get_current()
    if now.effective:
        for capability in pyprctl.capbset_probe() - kept:
            pyprctl.capbset_drop(capability)
    state = pyprctl.CapState(now.effective & kept, now.permitted & kept, set())
    state.set_current()


if __name__ == "__main__":
    confine()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
