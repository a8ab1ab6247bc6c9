"""How a parent process hears signals, ends its children, and has the kernel end them should it die first."""

import ctypes
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

_PR_SET_PDEATHSIG = 1

_log = structlog.get_logger()


def stop(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a process to end, and kill it where it has not within so many seconds."""
    child.terminate()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        _log.error("killed", pid=child.pid, reason=f"it did not end within {seconds:.0f} seconds")
        child.kill()
        child.wait()


def die_with_parent() -> Callable[[], None]:
    """For the child, before it becomes its program: the kernel kills it when this process ends, however it ends."""
    libc = ctypes.CDLL(None)
    launcher = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != launcher:  # it ended before the tie was there
            os._exit(1)

    return tie


@contextmanager
def arriving_signals() -> Iterator[socket.socket]:
    """A socket from which the numbers of arriving signals can be read."""
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    previous_descriptor = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    previous = [signal.signal(number, lambda *_: None) for number in numbers]
    try:
        yield receiver
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous_descriptor)
        receiver.close()
        sender.close()
