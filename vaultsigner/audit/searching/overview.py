"""How each chain is: how long, how large, and when its last checkpoint was made. Reads the ends of the files alone."""

import json
from pathlib import Path
from typing import Any

from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.domain.checkpoints import read_checkpoint
from vaultsigner.domain.signed_notes import NoteError
from vaultsigner.errors import AuditError

END_BYTES = 4 * 1024 * 1024
"""How far from its end a file is looked through: for two checkpoints at the usual distance, and some."""


def chains_overview(directory: Path, own: str | None) -> list[dict[str, Any]]:
    """Each chain as a document.

    Args:
        own: the chain that this process writes.

    Raises:
        AuditError: a file cannot be read.
    """
    return [{**_overview(chain), "own": chain.name == own} for chain in find_chains(directory)]


def _overview(chain: ChainFiles) -> dict[str, Any]:
    last: dict[str, Any] = {}
    checkpoint: dict[str, Any] | None = None
    for file in reversed(chain.files):
        if file.path.suffix == ".gz":
            break
        lines = _end_of(file.path)
        last = last or _record(lines[-1] if lines else b"")
        checkpoint = _checkpoint(lines)
        if checkpoint is not None:
            break
    return {
        "chain": chain.name,
        "records": last.get("seq", 0),
        "bytes": chain.size,
        "files": len(chain.files),
        "last": last.get("time"),
        "checkpoint": checkpoint,
    }


def _end_of(path: Path) -> list[bytes]:
    """The whole lines near the end."""
    try:
        with path.open("rb") as file:
            begin = max(path.stat().st_size - END_BYTES, 0)
            file.seek(begin)
            lines = file.read(END_BYTES).splitlines(keepends=True)
    except OSError as error:
        raise AuditError(f"{path}: {error.strerror}") from error
    return [line for line in (lines[1:] if begin else lines) if line.endswith(b"\n")]


def _checkpoint(lines: list[bytes]) -> dict[str, Any] | None:
    for line in reversed(lines):
        if b'"kind":"checkpoint"' in line:
            record = _record(line)
            try:
                checkpoint = read_checkpoint(record["note"]).checkpoint
            except (NoteError, KeyError, TypeError):
                continue
            return {"size": checkpoint.size, "time": checkpoint.time}
    return None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
