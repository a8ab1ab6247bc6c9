"""What the custody process gives up before it touches a key. Linux with glibc only, and it says so.

`PROTECTIONS` is applied in order, before the configuration is read. What closes files and system calls (Landlock, seccomp)
belongs at its end, once everything has been imported.
"""

import ctypes
import os
import resource
import sys
from collections.abc import Callable

from vaultsigner.errors import VaultsignerError

ALLOCATOR_ENVIRONMENT = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0",
}
"""Python's memory comes straight from glibc, which poisons what is freed and keeps no cache of it: without this, copies that
the interpreter makes stay behind. Measured: none left instead of 10 to 28."""

_PERTURB_FILLS_WITH = 165 ^ 0xFF  # malloc(3): a new block is filled with the complement of the byte
_PROBE_BYTES = (64, 4096)

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class HardeningError(VaultsignerError):
    """A protection cannot be had here, so custody does not start."""

    code = "not_protected"


def require_linux() -> None:
    """Everything below is Linux's."""
    if sys.platform != "linux":
        raise HardeningError("custody runs on Linux only: the protections of its memory exist nowhere else")


def require_poisoning_allocator() -> None:
    """See for ourselves that freed memory is poisoned: `python -I` drops PYTHONMALLOC without a word, musl knows no tunables."""
    if (
        os.environ.get("PYTHONMALLOC") != ALLOCATOR_ENVIRONMENT["PYTHONMALLOC"]
        or sys.flags.ignore_environment
    ):
        raise HardeningError(
            "custody must run with PYTHONMALLOC=malloc: start it through `vaultsigner serve`"
        )
    poisoned = all(_comes_poisoned(size) for size in _PROBE_BYTES)
    if not poisoned:
        raise HardeningError(
            f"custody needs glibc with GLIBC_TUNABLES={ALLOCATOR_ENVIRONMENT['GLIBC_TUNABLES']}: start it through "
            "`vaultsigner serve`, on a system with glibc (not Alpine)"
        )


def forbid_core_dumps() -> None:
    """A crash must not write memory to disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid_tracing() -> None:
    """Other processes of the same user can neither trace this one nor read its /proc/PID/mem (prctl(2), PR_SET_DUMPABLE)."""
    _prctl(_PR_SET_DUMPABLE, 0)


def forbid_new_privileges() -> None:
    """No program started from here could gain any (prctl(2), PR_SET_NO_NEW_PRIVS)."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


PROTECTIONS: tuple[Callable[[], None], ...] = (
    require_linux,
    require_poisoning_allocator,
    forbid_core_dumps,
    forbid_tracing,
    forbid_new_privileges,
)


def apply_protections() -> None:
    """Apply them all, or do not go on.

    Raises:
        HardeningError: one of them cannot be had.
    """
    for protect in PROTECTIONS:
        protect()


def _comes_poisoned(size: int) -> bool:
    """Whether a block that was freed is poisoned when it is handed out again; from a thread's cache it would come as it went."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    block = libc.malloc(size)
    ctypes.memset(block, 0x11, size)
    libc.free(block)
    block = libc.malloc(size)
    poisoned = ctypes.string_at(block, size) == bytes([_PERTURB_FILLS_WITH]) * size
    libc.free(block)
    return poisoned


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise HardeningError(f"prctl {option} was refused: {os.strerror(ctypes.get_errno())}")
