"""What outlives a crash of custody: its Vault token, and the secret id that came out of its wrapping.

It lies in memory that has no name and no file, whose descriptor the launcher holds and hands to each custody process that it
starts; the launcher never maps it. Two places take turns, so that a crash in the middle of writing leaves what was there.
"""

import mmap

from vaultsigner.custody.vault_token.keepsake_memory import SIZE
from vaultsigner.custody.wiping import wipe

_HEAD_BYTES = 64
_PLACE_BYTES = (SIZE - _HEAD_BYTES) // 2
_PLACES = (_HEAD_BYTES, _HEAD_BYTES + _PLACE_BYTES)
"""Where each begins; the byte at 0 says which one counts."""
_LONGEST = 4096
_LENGTH_BYTES = 2
_DIGEST_BYTES = 32


class Keepsake:
    """The token, the secret id and what it was unwrapped from.

    Args:
        descriptor: of memory of `SIZE` bytes that nobody else uses at the same time; None: nothing outlives this process.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._memory: mmap.mmap | bytearray = bytearray(SIZE)
        if descriptor is not None:
            self._memory = mmap.mmap(descriptor, SIZE)
        self._view = memoryview(self._memory)

    @property
    def spent(self) -> bytes:
        """SHA-256 of the wrapping token that gave the secret id; empty where there is none."""
        return bytes(self._parts()[2])

    def token(self) -> bytearray | None:
        """A copy of the token, for the caller to wipe."""
        return bytearray(self._parts()[0]) or None

    def secret_id(self) -> bytearray | None:
        """A copy of the secret id, for the caller to wipe."""
        return bytearray(self._parts()[1]) or None

    def keep_token(self, token: bytearray | None) -> None:
        """Remember another token, or none."""
        self._write(token or b"", *self._parts()[1:])

    def keep_secret_id(self, secret_id: bytearray, spent: bytes) -> None:
        """Remember another secret id, and what it came from."""
        self._write(self._parts()[0], secret_id, spent)

    def forget(self) -> None:
        """Wipe everything."""
        wipe(self._view)

    def _parts(self) -> list[memoryview]:
        """Token, secret id, digest. Each empty where there is none."""
        turn = self._view[0]
        if turn not in (1, 2):
            return [self._view[0:0]] * 3
        position, parts = _PLACES[turn - 1], []
        for longest in (_LONGEST, _LONGEST, _DIGEST_BYTES):
            length = int.from_bytes(self._view[position : position + _LENGTH_BYTES], "big")
            start = position + _LENGTH_BYTES
            parts.append(self._view[start : start + min(length, longest)])
            position = start + longest
        return parts

    def _write(self, *parts: memoryview | bytearray | bytes) -> None:
        before = self._view[0]
        after = 2 if before == 1 else 1
        position = _PLACES[after - 1]
        for part, longest in zip(parts, (_LONGEST, _LONGEST, _DIGEST_BYTES), strict=True):
            start = position + _LENGTH_BYTES
            self._view[position:start] = len(part).to_bytes(_LENGTH_BYTES, "big")
            self._view[start : start + len(part)] = part
            position = start + longest
        self._view[0] = after
        if before in (1, 2):
            old = _PLACES[before - 1]
            wipe(self._view[old : old + _PLACE_BYTES])
