"""Unpacking gzip (RFC 1952) in pieces of a bounded size, to its very end: what is cut must not pass for whole."""

import zlib

MOST_MEMBERS = 1000
"""Of which each may be empty, and takes a while all the same."""
_GZIP = 16 + zlib.MAX_WBITS


class Unpacker:
    """Takes packed bytes and gives as many unpacked ones as are wanted. Several members behind each other are one text."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._members = 1
        self._waiting = b""
        self._fed = False

    @property
    def finished(self) -> bool:
        """Whether the packed text may end here, and everything in it was taken out."""
        return not self._waiting and (self._member.eof or not self._fed)

    def feed(self, packed: bytes) -> None:
        """More of it; not before `take` gave nothing."""
        self._waiting += packed

    def take(self, at_most: int) -> bytes:
        """Some of what is unpacked; nothing where more has to be fed first.

        Args:
            at_most: bytes, more than none.

        Raises:
            ValueError: this is no gzip, or of more than 1,000 members.
        """
        while True:
            piece = self._step(at_most)
            if piece or not (self._member.eof and self._waiting):
                return piece

    def _step(self, at_most: int) -> bytes:
        if self._member.eof and self._waiting:
            self._members += 1
            if self._members > MOST_MEMBERS:
                raise ValueError("too many members")
            self._member = zlib.decompressobj(_GZIP)
        self._fed = self._fed or bool(self._waiting)
        try:
            # Also with nothing to feed: it may hold back what was more than wanted before.
            piece = self._member.decompress(self._waiting, at_most)
        except zlib.error:
            raise ValueError("not gzip") from None
        self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        return piece
