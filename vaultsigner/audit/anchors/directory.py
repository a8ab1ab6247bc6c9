"""Checkpoints in a second directory: durable, never overwritten, and nothing is followed that somebody planted there."""

import errno
import heapq
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from stat import S_ISREG

from vaultsigner.audit.anchors.anchor import (
    LARGEST_DOCUMENT,
    LARGEST_SIZE,
    MOST_DISTRUSTED,
    AnchorError,
    Found,
    Held,
    Kind,
    Trusts,
    held_of,
    name_for,
    newest_of,
    require_same,
    size_in,
)
from vaultsigner.audit.anchors.calls import Calls
from vaultsigner.audit.files.file_names import is_chain
from vaultsigner.config.anchor_settings import DirectoryAnchor
from vaultsigner.domain.checkpoints import AnchorDocument, Checkpoint, SignedCheckpoint
from vaultsigner.durable_files import DIRECTORY_MODE, FILE_MODE

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_BEING_WRITTEN = ".being-written"


class CheckpointDirectory:
    """`<directory>/<chain>/<size>.checkpoint`, from a thread of its own: a network's disk may hang."""

    kind: Kind = "directory"

    def __init__(self, settings: DirectoryAnchor) -> None:
        self.name = settings.name
        self.required = settings.required
        self._directory = settings.directory
        self._calls = Calls(f"anchor {settings.name}")

    async def held(self, trusts: Trusts) -> Held:
        """See `Anchor`."""
        chains = await self._calls.make(self._chains)
        return held_of(
            {chain: await self._calls.make(partial(self._found, chain, trusts)) for chain in chains}
        )

    async def seen(self, own: SignedCheckpoint, trusts: Trusts) -> int:
        """See `Anchor`."""
        found = await self._calls.make(lambda: self._found(own.checkpoint.chain, trusts))
        return found.size()

    async def publish(self, document: AnchorDocument) -> None:
        """See `Anchor`."""
        await self._calls.make(lambda: self._publish(document))

    async def keeps(self, checkpoint: Checkpoint) -> bool:
        """See `Anchor`."""
        return await self._calls.make(lambda: self._keeps(checkpoint))

    async def probe(self) -> str:
        """See `Anchor`."""
        return await self._calls.make(self._probe)

    async def close(self) -> None:
        """See `Anchor`."""
        await self._calls.close()

    def _chains(self) -> list[str]:
        with self._opened() as top:
            return sorted(name for name in _names(top) if is_chain(name))

    def _found(self, chain: str, trusts: Trusts) -> Found:
        with self._opened() as top, self._opened_chain(top, chain) as directory:
            if directory is None:
                return Found()
            sizes = [size for name in _names(directory) if (size := size_in(name)) is not None]
            # One more than are looked at: whether any is left then counts.
            newest = heapq.nlargest(MOST_DISTRUSTED + 1, (size for size in sizes if size <= LARGEST_SIZE))
            others = heapq.nlargest(MOST_DISTRUSTED, (size for size in sizes if size > LARGEST_SIZE))
            place = self._directory / chain
            kept = ((size, str(place / name_for(size)), _read(directory, name_for(size))) for size in newest)
            return newest_of(chain, kept, (str(place / name_for(size)) for size in others), trusts)

    def _keeps(self, checkpoint: Checkpoint) -> bool:
        with self._opened() as top, self._opened_chain(top, checkpoint.chain) as directory:
            if directory is None:
                return False
            try:
                os.stat(name_for(checkpoint.size), dir_fd=directory, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def _publish(self, document: AnchorDocument) -> None:
        checkpoint = document.signed.checkpoint
        name = name_for(checkpoint.size)
        with self._opened() as top:
            with suppress(FileExistsError):
                os.mkdir(checkpoint.chain, DIRECTORY_MODE, dir_fd=top)
                os.fsync(top)
            with self._opened_chain(top, checkpoint.chain) as directory:
                if directory is None:
                    raise OSError(errno.ENOENT, "a directory that was made there vanished")
                try:
                    _write_new(directory, name, document.text().encode())
                except FileExistsError:
                    place = self._directory / checkpoint.chain / name
                    require_same(_read(directory, name), document, str(place))
                # Also of what was there: whoever wrote it may have been killed before its name was durable.
                os.fsync(directory)

    def _probe(self) -> str:
        with self._opened() as top:
            try:
                os.close(os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE, dir_fd=top))
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
                    raise
                _write_and_remove(top)
        chains = len(self._chains())
        return f"{self._directory} can be written to, and keeps checkpoints of {chains} chains"

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The directory itself, and whatever goes wrong in it in words. It is never made here."""
        try:
            with _closing(os.open(self._directory, _DIRECTORY)) as top:
                yield top
        except OSError as error:
            raise AnchorError(f"{self._directory}: {self._advice(error)}") from error

    @contextmanager
    def _opened_chain(self, top: int, chain: str) -> Iterator[int | None]:
        try:
            descriptor = os.open(chain, _DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        except FileNotFoundError:
            yield None
        else:
            with _closing(descriptor):
                yield descriptor

    def _advice(self, error: OSError) -> str:
        if isinstance(error, FileNotFoundError) and not self._directory.exists():
            # Made here, it would lie on the very disk that it is to vouch for whenever the other one is not mounted.
            return "there is no such directory; mount the disk, or make the directory yourself"
        if isinstance(error, NotADirectoryError) and self._directory.is_file():
            return "this is a file; name a directory"
        if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
            return (
                f"{error.strerror}; its file system must know hard links, as ext4, XFS, Btrfs, ZFS and NFS do"
            )
        return f"{error.strerror}; see that the disk is mounted, writable for this user, and not full"


def _write_new(directory: int, name: str, data: bytes) -> None:
    """A durable file under a name that nothing has yet; the name appears once the file is whole.

    Raises:
        FileExistsError: something has that name.
        OSError: as the system says.
    """
    passing = f".{name}{_BEING_WRITTEN}"
    with suppress(FileNotFoundError):
        os.unlink(passing, dir_fd=directory)
    with os.fdopen(os.open(passing, _NEW_FILE, FILE_MODE, dir_fd=directory), "wb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.link(passing, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
        finally:
            os.unlink(passing, dir_fd=directory)


def _write_and_remove(directory: int) -> None:
    name = f".probe{_BEING_WRITTEN}"
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=directory)
    os.close(os.open(name, _NEW_FILE, FILE_MODE, dir_fd=directory))
    os.unlink(name, dir_fd=directory)


def _read(directory: int, name: str) -> bytes:
    """At most one byte more than a document may have; nothing of what is no regular file."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        # A link, or a socket.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            return b""
        raise
    with _closing(descriptor):
        if not S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST_DOCUMENT + 1)


def _names(directory: int) -> list[str]:
    return os.listdir(directory)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
