"""The memory of `keepsake`, as the launcher makes it: without a name, and out of reach of other processes of the same user."""

import ctypes
import os
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


def _secret_memory() -> int:
    syscall: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return syscall(_SYS_MEMFD_SECRET, os.O_CLOEXEC)
