"""A chain's own checkpoints, read back from its records as the documents that anchors take."""

from collections.abc import Iterator
from itertools import chain as joined
from pathlib import Path

from vaultsigner.audit.checkpoint_records import is_checkpoint, read_checkpoint_record
from vaultsigner.audit.files.chain_files import ChainFiles, DayFile, find_chains, read_lines
from vaultsigner.audit.files.file_names import in_order
from vaultsigner.domain.checkpoints import AnchorDocument, CheckpointError, SignedCheckpoint
from vaultsigner.errors import AuditError


def documents_since(chain: Path, size: int) -> Iterator[AnchorDocument]:
    """The checkpoints of a chain for more than `size` records, the smallest first.

    Only the files that have them are read, and in bounded memory. Signatures are not checked.

    Args:
        chain: its directory.

    Raises:
        AuditError: a file cannot be read, or a checkpoint's record is damaged.
    """
    files = _files(chain)
    begin = 0
    for index in range(len(files) - 1, 0, -1):
        if any(document.signed.checkpoint.size <= size for document in _documents(files[index])):
            begin = index
            break
    for document in joined.from_iterable(map(_documents, files[begin:])):
        if document.signed.checkpoint.size > size:
            yield document


def latest_documents(chain: Path, most: int) -> list[AnchorDocument]:
    """The latest checkpoints of a chain, the smallest first; none where there is no chain.

    Raises:
        AuditError: as for `documents_since`.
    """
    found: list[AnchorDocument] = []
    for file in reversed(_files(chain)):
        found = [*_documents(file), *found]
        if len(found) >= most:
            break
    return found[-most:]


def newest_checkpoint(chain: Path) -> SignedCheckpoint | None:
    """The latest checkpoint of a chain, if it has one.

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


def _documents(file: DayFile) -> Iterator[AnchorDocument]:
    for line in read_lines(file):
        try:
            # Half a line at the end is not on record yet.
            if not line.endswith(b"\n") or not is_checkpoint(line):
                continue
            record = read_checkpoint_record(line)
        except (CheckpointError, ValueError, AttributeError, RecursionError) as error:
            raise AuditError(
                f"{file.path} has a checkpoint that makes no sense ({error}): run `vaultsigner audit verify`"
            ) from None
        yield AnchorDocument(record.previous, record.path, record.signed)
