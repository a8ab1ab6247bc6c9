"""Overwriting memory that held a secret.

Python gives no guarantee about copies it makes itself; these functions deal with the buffers that custody owns, and the
allocator settings that `hardening` insists on poison whatever the interpreter frees.
"""

from coincurve._libsecp256k1 import ffi

_ZEROS = memoryview(bytes(1 << 18))
_SHARED_OBJECT_LENGTH = 1


def wipe(buffer: bytearray | memoryview) -> None:
    """Overwrite a writable buffer with zeros, in place."""
    with memoryview(buffer) as view:
        for start in range(0, len(view), len(_ZEROS)):
            part = view[start : start + len(_ZEROS)]
            part[:] = _ZEROS[: len(part)]


def wipe_bytes(data: bytes) -> None:
    """Overwrite a bytes object that a library insisted on making.

    Only for an object that nobody else can hold: never a literal, never a dictionary key.
    """
    if len(data) > _SHARED_OBJECT_LENGTH:  # CPython shares the empty object and those of one byte
        ffi.memmove(ffi.from_buffer(data), _ZEROS[: len(data)], len(data))
