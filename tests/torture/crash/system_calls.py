# What a process asks of the disk, seen and answered from outside: every call that changes a file stops until its
# supervisor lets it go on, refuses it, or kills the process. The kernel does the stopping (seccomp's user
# notification), so it reaches what Arrow, SQLite and FAISS do in C as well. Linux on x86-64 only.

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import select
import socket
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Name, number, and where its path is: ("fd", n) an open file, ("path", n) a name, ("at", n) a folder and a name.
_CALLS = {
    1: ("write", "fd", 0),
    9: ("map", "fd", 4),
    18: ("write", "fd", 0),
    20: ("write", "fd", 0),
    74: ("fsync", "fd", 0),
    75: ("fsync", "fd", 0),
    77: ("truncate", "fd", 0),
    82: ("rename", "path", 0, 1),
    83: ("mkdir", "path", 0),
    84: ("unlink", "path", 0),
    87: ("unlink", "path", 0),
    257: ("create", "at", 0),
    258: ("mkdir", "at", 0),
    263: ("unlink", "at", 0),
    264: ("rename", "at", 0, 2),
    285: ("truncate", "fd", 0),
    296: ("write", "fd", 0),
    316: ("rename", "at", 0, 2),
}
_MMAP = 9
_OPENAT = 257
_AT_FDCWD = -100

_SECCOMP = 317
_SET_MODE_FILTER = 1
_NEW_LISTENER = 8
_NO_NEW_PRIVS = 38
_ALLOW = 0x7FFF0000
_NOTIFY = 0x7FC00000
_RECEIVE = 0xC0502100
_SEND = 0xC0182101
_CONTINUE = 1
_RECEIVED = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")


@dataclass(frozen=True, slots=True)
class Call:
    """`kind` of change asked for, the file it is about, and for a rename what it is to be called."""

    kind: str
    path: str
    target: str = ""


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def put_under_supervision(supervisor: socket.socket) -> None:
    """From here on, this process waits at each such call; `supervisor` is sent the file to answer by."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise OSError("seccomp: only Linux on x86-64 is supervised")
    jump_equal, load, give = 0x15, 0x20, 0x06
    steps = [struct.pack("=HBBI", load, 0, 0, 0)]
    numbers = sorted(_CALLS)
    steps += [struct.pack("=HBBI", jump_equal, len(numbers) - at, 0, nr) for at, nr in enumerate(numbers)]
    steps += [struct.pack("=HBBI", give, 0, 0, verdict) for verdict in (_ALLOW, _NOTIFY)]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = b"".join(steps)
    listener = libc.syscall(
        _SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(_Program(len(steps), ctypes.c_char_p(code)))
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp refuses a listener")
    socket.send_fds(supervisor, [b"."], [listener])
    os.close(listener)


def supervise(process: socket.socket, *, answer: Callable[[int, Call], int | None]) -> None:
    """Answer the calls of a process until it ends.

    Args:
        process: Where `put_under_supervision` sends its file.
        answer: Told each call and the process id; gives 0 to let it go on, an error number to refuse it with,
            or None when the process was killed instead.
    """
    _, listeners, _, _ = socket.recv_fds(process, 1, 1)
    if not listeners:  # it ended for want of them
        return
    listener = listeners[0]
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    try:
        while True:
            ((_, event),) = poll.poll()
            if not event & select.POLLIN:
                return
            content = bytearray(_RECEIVED.size)
            try:
                fcntl.ioctl(listener, _RECEIVE, content)
                name, pid, _, number, _, _, *arguments = _RECEIVED.unpack(content)
                call = _call(pid, number, arguments)
                error = 0 if call is None else answer(pid, call)
                if error is not None:
                    reply = bytearray(_ANSWER.pack(name, 0, -error, 0 if error else _CONTINUE))
                    fcntl.ioctl(listener, _SEND, reply)
            except (FileNotFoundError, ProcessLookupError):  # it died meanwhile
                continue
    finally:
        os.close(listener)


def _call(pid: int, number: int, arguments: list[int]) -> Call | None:
    """What is asked, or None where it changes nothing."""
    kind, how, *places = _CALLS[number]
    if number == _OPENAT and not arguments[2] & os.O_CREAT:
        return None
    if number == _MMAP and not (arguments[2] & mmap.PROT_WRITE and arguments[3] & mmap.MAP_SHARED):
        return None
    if number == _MMAP and arguments[3] & mmap.MAP_ANONYMOUS:
        return None
    if how == "fd":
        return Call(kind, _opened(pid, arguments[places[0]]))
    paths = [_named(pid, arguments, place, at=how == "at") for place in places]
    return Call(kind, *paths)


def _named(pid: int, arguments: list[int], place: int, *, at: bool) -> str:
    folder = ctypes.c_int(arguments[place] & 0xFFFFFFFF).value if at else _AT_FDCWD
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - not a file that has a Path's life
        memory.seek(arguments[place + at])
        name = os.fsdecode(memory.read(4096).split(b"\0")[0])
    base = f"/proc/{pid}/cwd" if folder == _AT_FDCWD else f"/proc/{pid}/fd/{folder}"
    return name if name.startswith("/") else f"{os.readlink(base)}/{name}"  # noqa: PTH115 - the same


def _opened(pid: int, number: int) -> str:
    return os.readlink(f"/proc/{pid}/fd/{number}").removesuffix(" (deleted)")  # noqa: PTH115 - the same
