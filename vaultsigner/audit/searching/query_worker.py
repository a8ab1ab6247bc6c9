"""`python -m vaultsigner.audit.searching.query_worker DIRECTORY`: searches the record, beside the process that serves.

A question is a line of JSON on standard input, `{"ask": name, …}`. The answer is any number of lines `{"part": text}`, and then
one: `{"done": document}` or `{"problem": words}`. The process ends with its parent, or when nothing more can be asked.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from vaultsigner.audit.files.chain_files import ChainFiles, find_chains
from vaultsigner.audit.searching.engine import Engine, open_engine
from vaultsigner.audit.searching.filters import read_filters
from vaultsigner.audit.searching.queries import RecordQueries
from vaultsigner.audit.searching.readable import is_readable
from vaultsigner.audit.searching.record_lookup import look_up
from vaultsigner.audit.searching.rows import csv_lines
from vaultsigner.audit.searching.summaries import period_of, summarise
from vaultsigner.audit.searching.warm_records import WarmRecords
from vaultsigner.errors import AuditError

MOST_ANSWERED_BYTES = 8 * 1024 * 1024
"""Of the lines in one answer. The rest is asked for with the answer's cursor."""
PART_CHARACTERS = 64 * 1024
NICENESS = 10
_PR_SET_PDEATHSIG = 1

Question = Mapping[str, Any]
Answer = Callable[[RecordQueries, Question], Iterator[Mapping[str, Any]]]


def records(queries: RecordQueries, question: Question) -> Iterator[Mapping[str, Any]]:
    """The latest that fit, newest first; `next` is the place before which there may be more."""
    latest = question["latest"]
    found = queries.find(read_filters(question["filters"]), latest, question.get("before"))
    end, size, count, unreadable = None, 0, 0, found.unreadable
    for place, line in reversed([*zip(found.places, found.lines, strict=True)]):
        if size + len(line) > MOST_ANSWERED_BYTES and count:
            count = latest
            break
        if is_readable(line):
            yield {"part": line}
        else:
            unreadable += 1
        size, count, end = size + len(line), count + 1, place
    yield {"done": {"next": end if count == latest else None, "unreadable": unreadable}}


def summary(queries: RecordQueries, question: Question) -> Iterator[Mapping[str, Any]]:
    """What happened over time."""
    since, until = (datetime.fromisoformat(question[name]) for name in ("since", "until"))
    period = period_of(since, until, question["steps"])
    yield {"done": summarise(queries, read_filters(question["filters"]), period)}


def csv(queries: RecordQueries, question: Question) -> Iterator[Mapping[str, Any]]:
    """All that fit, as a file for spreadsheets, in parts."""
    found = queries.find(read_filters(question["filters"]))
    part: list[str] = []
    size = 0
    for text in csv_lines(found.lines):
        part.append(text)
        size += len(text)
        if size >= PART_CHARACTERS:
            yield {"part": "".join(part)}
            part, size = [], 0
    yield {"part": "".join(part)}
    yield {"done": {"unreadable": found.unreadable}}


def record(queries: RecordQueries, question: Question) -> Iterator[Mapping[str, Any]]:
    """One record with its proof, and the others of its request; null where there is none."""
    yield {"done": look_up(queries, question["chain"], question["seq"])}


ANSWERS: Mapping[str, Answer] = {"records": records, "summary": summary, "csv": csv, "record": record}


def main(arguments: list[str]) -> int:
    """Answer until standard input ends."""
    _be_modest()
    directory = Path(arguments[0])
    with open_engine([directory]) as engine:
        warm = WarmRecords(engine)
        for line in sys.stdin.buffer:
            for told in answered(engine, warm, directory, line):
                _tell(sys.stdout.buffer, told)
            sys.stdout.buffer.flush()
    return 0


def answered(engine: Engine, warm: WarmRecords, directory: Path, line: bytes) -> Iterator[Mapping[str, Any]]:
    """What is told to one question, as it came."""
    try:
        question = json.loads(line)
        # An export goes through the files once, in their order: a table would be of no use to it.
        known = None if question["ask"] == "csv" else warm
        yield from _answered_from_files(
            directory, lambda chains: ANSWERS[question["ask"]](RecordQueries(engine, chains, known), question)
        )
    except AuditError as error:
        yield {"problem": str(error)}
    except Exception as error:  # noqa: BLE001 - the process's edge: the next question may have an answer
        yield {"problem": f"the question cannot be answered ({type(error).__name__})"}


def _answered_from_files(
    directory: Path, answer: Callable[[Sequence[ChainFiles]], Iterator[Mapping[str, Any]]]
) -> Iterator[Mapping[str, Any]]:
    """The answer; looked for anew where a file had another name, because it was compressed, by the time it was to be read."""
    chains, told = find_chains(directory), False
    try:
        for each in answer(chains):
            told = True
            yield each
    except (AuditError, OSError):
        if told or all(file.path.exists() for chain in chains for file in chain.files):
            raise
        yield from answer(find_chains(directory))


def _tell(out: BinaryIO, told: Mapping[str, Any]) -> None:
    out.write(json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n")


def _be_modest() -> None:
    """Whoever signs comes first; no core file; and the parent's end is this one's."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
