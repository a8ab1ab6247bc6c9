"""A chain's own checkpoints, read back from its records as the documents that anchors take."""

import json
from collections.abc import Iterator
from itertools import chain as joined
from pathlib import Path

from vaultsigner.audit.anchors.anchor import MOST_DISTRUSTED, Trusts
from vaultsigner.audit.checkpoint_records import (
    NOTHING_BEFORE,
    is_checkpoint,
    read_checkpoint_record,
    what_is_wrong,
)
from vaultsigner.audit.files.chain_files import ChainFiles, DayFile, find_chains, read_lines
from vaultsigner.audit.files.file_names import in_order
from vaultsigner.domain.checkpoints import AnchorDocument, CheckpointError, SignedCheckpoint
from vaultsigner.errors import AuditError

UNSIGNED = "no key that is trusted signed it"


class Sieve:
    """Lets through what an anchor may get of a chain; an anchor that is locked would keep anything else for ever.

    `left_out` has what was not let through, each with its place and why; the first hundred.

    Args:
        chain: its directory, named as the chain is.
    """

    def __init__(self, chain: Path, trusts: Trusts) -> None:
        self.left_out: list[str] = []
        self._chain = chain.name
        self._trusts = trusts

    def takes(self, line: bytes, file: Path) -> bool:
        """Whether a checkpoint's record is this chain's own, of records before it, and signed by a key that counts."""
        record, seq = read_checkpoint_record(line), json.loads(line).get("seq")
        wrong = what_is_wrong(record, self._chain, seq if type(seq) is int else 0, NOTHING_BEFORE)
        if wrong is None and not self._trusts(record.signed):
            wrong = UNSIGNED
        told = f"{file}, record {seq}: {wrong}"
        if wrong is not None and len(self.left_out) < MOST_DISTRUSTED and told not in self.left_out:
            self.left_out.append(told)
        return wrong is None


def documents_since(chain: Path, size: int, sieve: Sieve) -> Iterator[AnchorDocument]:
    """The checkpoints of a chain for more than `size` records that the sieve lets through, the smallest first.

    Only the files that have them are read, and in bounded memory.

    Args:
        chain: its directory.

    Raises:
        AuditError: a file cannot be read, or a checkpoint's record is damaged.
    """
    files = _files(chain)
    begin = 0
    for index in range(len(files) - 1, 0, -1):
        if any(document.signed.checkpoint.size <= size for document in _documents(files[index], sieve)):
            begin = index
            break
    for document in joined.from_iterable(_documents(file, sieve) for file in files[begin:]):
        if document.signed.checkpoint.size > size:
            yield document


def latest_documents(chain: Path, most: int, sieve: Sieve | None = None) -> list[AnchorDocument]:
    """The latest checkpoints of a chain, the smallest first; none where there is no chain.

    Args:
        sieve: lets them through; None: signatures are not checked. Once it has left out a hundred, no more are looked for.

    Raises:
        AuditError: as for `documents_since`.
    """
    found: list[AnchorDocument] = []
    for file in reversed(_files(chain)):
        found = [*_documents(file, sieve), *found]
        if len(found) >= most or (sieve and len(sieve.left_out) >= MOST_DISTRUSTED):
            break
    return found[-most:]


def newest_checkpoint(chain: Path) -> SignedCheckpoint | None:
    """The latest checkpoint of a chain, if it has one. Its signature is not checked.

    Raises:
        AuditError: as for `documents_since`.
    """
    found = latest_documents(chain, 1)
    return found[0].signed if found else None


def _files(chain: Path) -> tuple[DayFile, ...]:
    try:
        empty = not in_order(path.name for path in chain.iterdir())
    except FileNotFoundError:
        empty = True
    except OSError as error:
        raise AuditError(f"{chain}: {error.strerror}") from error
    if empty:
        return ()
    found: tuple[ChainFiles, ...] = find_chains(chain)
    return found[0].files


def _documents(file: DayFile, sieve: Sieve | None) -> Iterator[AnchorDocument]:
    for line in read_lines(file):
        try:
            # Half a line at the end is not on record yet.
            if not line.endswith(b"\n") or not is_checkpoint(line):
                continue
            record = read_checkpoint_record(line)
            taken = sieve is None or sieve.takes(line, file.path)
        except (CheckpointError, ValueError, AttributeError, RecursionError) as error:
            raise AuditError(
                f"{file.path} has a checkpoint that makes no sense ({error}): run `vaultsigner audit verify`"
            ) from None
        if taken:
            yield AnchorDocument(record.previous, record.path, record.signed)
