"""Reads the audit records as an auditor would: from the files, checking the chain."""

import json
from pathlib import Path
from stat import S_ISREG
from typing import Any

from vaultsigner.audit.chain import verify_lines
from vaultsigner.audit.files.line_files import find_files, open_lines

Record = dict[str, Any]


def read_records(directory: Path) -> list[Record]:
    """Every record, in order, of an audit directory whose chains all hold.

    Raises:
        DamagedChainError: a line was changed, lost or added.
    """
    records: list[Record] = []
    for chain in sorted(path for path in directory.iterdir() if path.is_dir()):
        lines = [
            line
            for path, status in find_files(chain)[0].items()
            if S_ISREG(status.st_mode)  # A test may have put a pipe there.
            for line in _lines(path, status.st_size)
        ]
        verify_lines(lines)
        records += [json.loads(line) for line in lines]
    return records


def _lines(path: Path, size: int) -> list[bytes]:
    with open_lines(path, size) as opened:
        return opened.lines.read().splitlines(keepends=True)


def records_of(directory: Path, request_id: str) -> list[Record]:
    """What is on the record about one request."""
    return [record for record in read_records(directory) if record.get("request_id") == request_id]
