"""Which system calls each zone is refused.

All zones have a list of what no program of ours needs. A cell, which decodes what a stranger may have sent, a trial of a camera and a
search for cameras have a list of what they may call besides: made from what cells call (strace), with what the same functions of the C
library call on other kernels. What is on the first list answers EPERM, as where rights are missing; what is not on the second ENOSYS, as
on a kernel that does not have it yet, so that libraries take their older way.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from blickschutz.zones.bpf import ENOSYS, Check
from blickschutz.zones.model import Profile, Zone
from blickschutz.zones.numbers import Architecture

# Into other processes, past files and sockets, into the kernel: no zone needs any of it.
_NEVER = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd"),
    *("mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr"),
    *("unshare", "setns", "open_by_handle_at", "name_to_handle_at", "fanotify_init", "fanotify_mark", "lookup_dcookie"),
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "vmsplice"),
    *("keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load"),
    *("reboot", "swapon", "swapoff", "acct", "quotactl", "syslog", "sethostname", "setdomainname", "settimeofday", "clock_settime"),
    *("iopl", "ioperm", "modify_ldt", "personality", "uselib", "vhangup", "nfsservctl", "_sysctl", "migrate_pages", "move_pages"),
)
# The control room starts and ends processes, and asks how well the clock is kept.
_CONTROL_ALONE = (
    *("execve", "execveat", "fork", "vfork"),
    *("kill", "pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo"),
    *("adjtimex", "clock_adjtime", "shmget", "msgget", "semget", "mq_open"),
)
# What a cell calls: it computes, waits, reads its files, writes its clips and speaks to its camera.
_CELL = frozenset(
    (
        *(
            "brk",
            "mmap",
            "mprotect",
            "mremap",
            "munmap",
            "madvise",
            "membarrier",
            "mbind",
            "get_mempolicy",
            "set_mempolicy",
        ),
        *(
            "getcpu",
            "sysinfo",
            "uname",
            "arch_prctl",
            "prctl",
            "prlimit64",
            "getrlimit",
            "getrusage",
            "times",
            "getrandom",
        ),
        *(
            "clone",
            "exit",
            "exit_group",
            "futex",
            "gettid",
            "set_tid_address",
            "set_robust_list",
            "get_robust_list",
            "rseq",
        ),
        *(
            "restart_syscall",
            "sched_yield",
            "sched_getaffinity",
            "sched_setaffinity",
            "sched_getparam",
            "sched_getscheduler",
        ),
        *(
            "sched_get_priority_max",
            "sched_get_priority_min",
            "clock_gettime",
            "clock_getres",
            "clock_nanosleep",
            "nanosleep",
        ),
        *(
            "gettimeofday",
            "time",
        ),
        *(
            "rt_sigaction",
            "rt_sigprocmask",
            "rt_sigreturn",
            "rt_sigpending",
            "rt_sigsuspend",
            "rt_sigtimedwait",
            "sigaltstack",
        ),
        *("tgkill",),
        *(
            "getpid",
            "getppid",
            "getpgrp",
            "getuid",
            "geteuid",
            "getgid",
            "getegid",
            "umask",
        ),
        *(
            "open",
            "openat",
            "close",
            "close_range",
            "read",
            "readv",
            "pread64",
            "write",
            "writev",
            "pwrite64",
            "lseek",
            "fstat",
        ),
        *(
            "stat",
            "lstat",
            "newfstatat",
            "statx",
            "statfs",
            "fstatfs",
            "access",
            "faccessat",
            "faccessat2",
            "readlink",
        ),
        *(
            "readlinkat",
            "getcwd",
            "getdents",
            "getdents64",
            "fcntl",
            "ioctl",
            "dup",
            "dup2",
            "dup3",
            "ftruncate",
            "fsync",
        ),
        *(
            "fdatasync",
            "fadvise64",
            "fchmod",
            "mkdir",
            "mkdirat",
        ),
        *(
            "poll",
            "ppoll",
            "select",
            "pselect6",
            "epoll_create",
            "epoll_create1",
            "epoll_ctl",
            "epoll_wait",
            "epoll_pwait",
        ),
        *(
            "eventfd",
            "eventfd2",
            "pipe",
            "pipe2",
        ),
        *(
            "socket",
            "socketpair",
            "connect",
            "accept",
            "accept4",
            "shutdown",
            "sendto",
            "sendmsg",
            "sendmmsg",
            "recvfrom",
            "recvmsg",
            "recvmmsg",
        ),
        *(
            "setsockopt",
            "getsockopt",
            "getsockname",
            "getpeername",
        ),
    )
)
# What hears strangers: a camera, one that is tried, whoever answers in a network.
_LISTED = frozenset({Zone.CELL, Zone.TRIAL, Zone.FINDER})
# What NVIDIA's driver asks for in the process that uses it: a local socket of packets with a name (`cuda-uvmfd-...`), by which it could
# share its memory with others. Without it it does not open; a thread of it turns in a circle where it is only told that it listens. A name
# in a folder it never has, so that to remove one is answered as done.
_BY_DRIVER, _PRETENDED = ("bind", "listen"), ("unlink", "unlinkat")
# linux/sched.h: a namespace of its own (time, mount, cgroup, uts, ipc, user, pid, net); a thread, no process.
_NEW_NAMESPACES = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_THREAD = 0x00010000
# asm-generic/ioctls.h: type into the terminal, or paste; what was typed is run by whoever sits there (CVE-2023-1523).
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# linux/net.h: the kind of a socket stands in the lowest four bits.
_KIND = 0xF


def checks(profile: Profile, machine: Architecture) -> Iterator[Check]:
    """What the zone of `profile` is refused."""
    names = _NEVER if profile.zone in {Zone.CONTROL_ROOM, Zone.CELL_HOST} else (*_NEVER, *_CONTROL_ALONE)
    for name in names:
        number = machine.number(name)
        if number is not None:
            yield Check(number)
    # What it asks stands in memory, which a filter cannot read: libraries fall back to `clone`.
    yield Check(_number("clone3", machine), ENOSYS)
    clone = _number("clone", machine)
    yield Check(clone, argument=0, mask=_NEW_NAMESPACES, good=(0,))
    if not profile.starts:
        yield Check(clone, argument=0, mask=_THREAD, good=(_THREAD,))
    yield Check(_number("ioctl", machine), argument=1, bad=(_TIOCSTI, _TIOCLINUX))
    if profile.driver_socket:
        for name in _PRETENDED:
            pretended = machine.number(name)
            if pretended is not None:
                yield Check(pretended, error=0)
    yield from _sockets(profile, _number("socket", machine))


def only(profile: Profile, machine: Architecture) -> frozenset[int] | None:
    """The only calls that the zone of `profile` may make, by their numbers; None where it may make all that `checks` do not refuse."""
    if profile.zone not in _LISTED:
        return None
    # Where Landlock holds the ports of TCP a cell binds none of those; what is left to bind are ports of UDP, and the driver's name.
    names = (*_CELL, *(("bind",) if profile.datagrams else ()), *(_BY_DRIVER if profile.driver_socket else ()))
    return frozenset(number for number in map(machine.number, names) if number is not None)


def _sockets(profile: Profile, number: int) -> Iterator[Check]:
    local = profile.unix or profile.driver_socket
    if not profile.sockets and not local:
        yield Check(number)
        return
    families = (*((socket.AF_INET, socket.AF_INET6) if profile.sockets else ()), *((socket.AF_UNIX,) if local else ()))
    kinds = (
        *((socket.SOCK_STREAM,) if profile.sockets or profile.unix else ()),
        *((socket.SOCK_DGRAM,) if profile.udp or profile.datagrams or profile.unix else ()),
        *((socket.SOCK_SEQPACKET,) if profile.driver_socket else ()),
    )
    yield Check(number, argument=0, good=tuple(int(one) for one in families))
    yield Check(number, argument=1, mask=_KIND, good=tuple(int(one) for one in kinds))


def _number(name: str, machine: Architecture) -> int:
    number = machine.number(name)
    if number is None:
        raise KeyError(name)
    return number
