"""The memory of `keepsake`, as the launcher makes it: without a name, and out of reach of other processes of the same user."""

import ctypes
import os
import socket
from collections.abc import Callable

from vaultsigner.custody.hardening import forbid_tracing

SIZE = 32_768
_SYS_MEMFD_SECRET = 447  # the same number on every architecture


def make_keepsake_memory() -> int:
    """A descriptor of `SIZE` bytes of zeros.

    Best of the kind that the kernel itself does not map and never swaps (memfd_secret(2), Linux 5.14 and later, not
    everywhere switched on); else ordinary anonymous memory. From here on this process cannot be traced, so that nobody of the
    same user opens the descriptor through /proc.

    Raises:
        HardeningError: tracing cannot be forbidden.
        OSError: there is no such memory.
    """
    forbid_tracing()
    descriptor = _secret_memory()
    if descriptor < 0:
        descriptor = os.memfd_create("", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, SIZE)
    return descriptor


def hand_over(memory: int) -> socket.socket:
    """A socket in which the memory waits for custody; for the launcher to pass on, and then to close.

    A program that has only just begun can be looked at by every process of its user, until it forbids that: a descriptor of the
    memory itself could be opened anew through /proc in that time. What waits in a socket cannot.
    """
    ours, custodys = socket.socketpair()
    with ours:
        socket.send_fds(ours, [b"\0"], [memory])
    return custodys


def take_over(waiting: int) -> int:
    """The memory out of such a socket, which is closed; to be called when this process cannot be traced any more.

    Raises:
        OSError: there is none in it.
    """
    with socket.socket(fileno=waiting) as received:
        _, found, _, _ = socket.recv_fds(received, 1, 1, socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
    if not found:
        raise OSError("there is no memory in the socket")
    return int(found[0])


def _secret_memory() -> int:
    syscall: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return syscall(_SYS_MEMFD_SECRET, os.O_CLOEXEC)
