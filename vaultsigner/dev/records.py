"""Reads the audit records as an auditor would: from the files, checking the chain."""

import json
from pathlib import Path
from typing import Any

from vaultsigner.audit.chain import verify_lines

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
            for file in sorted(chain.glob("*.jsonl"))
            for line in file.read_bytes().splitlines(keepends=True)
        ]
        verify_lines(lines)
        records += [json.loads(line) for line in lines]
    return records


def records_of(directory: Path, request_id: str) -> list[Record]:
    """What is on the record about one request."""
    return [record for record in read_records(directory) if record.get("request_id") == request_id]
