"""Reads what a recorder wrote, from the files alone, and waits for it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import patience
from vaultsigner.audit.chain import Head, verify_lines
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.file_names import in_order


def event(name: str, **details: str) -> Control:
    """A small entry to write."""
    return Control(name, dict(details))


def chain_directory(directory: Path) -> Path:
    """The only chain in `directory`."""
    (chain,) = directory.iterdir()
    return chain


def files_of(directory: Path) -> list[Path]:
    """The files of the only chain, in the order in which they were written."""
    chain = chain_directory(directory)
    return [chain / name for name in in_order(path.name for path in chain.iterdir())]


def lines_in(path: Path) -> list[bytes]:
    """The lines of a file, which may be compressed, with their newlines."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines(keepends=True)


def lines_of(directory: Path) -> list[bytes]:
    """All lines of the only chain, with their newlines."""
    return [line for path in files_of(directory) for line in lines_in(path)]


def records_of(directory: Path) -> list[dict[str, Any]]:
    """All records of the only chain."""
    return [json.loads(line) for line in lines_of(directory)]


def events_of(directory: Path) -> list[str]:
    """The events of all control records of the only chain."""
    return [record["event"] for record in records_of(directory)]


def verified(directory: Path) -> Head:
    """The head of the only chain, which is checked from its beginning."""
    head = verify_lines(lines_of(directory))
    assert head is not None
    return head


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    await patience.until(condition, "what another thread does")
