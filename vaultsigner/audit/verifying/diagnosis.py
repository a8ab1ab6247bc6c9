"""Names what was done to a chain, from the first line that does not continue it and the lines around.

The hashes say that something is wrong and where. What was done shows in where the chain goes on: the record that names the last
good record's hash in `prev` is the one that belongs here.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vaultsigner.audit.chain import Damage, DamagedChainError, Head, read_line
from vaultsigner.audit.files.chain_files import ChainFiles, Line, all_lines, lines_after
from vaultsigner.audit.files.file_names import GZIPPED, parse
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.audit.verifying.findings import Finding, Kind

Named = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a verification stopped.

    Args:
        line: the first that does not continue the chain.
        before: the head before it.
        path_before: the file of the last good record; None: there is none.
        damage: what the hash chain says of the line.
    """

    files: ChainFiles
    line: Line
    before: Head
    path_before: Path | None
    damage: Damage

    @property
    def expected(self) -> int:
        """The number that the next record should have had."""
        return self.before.seq + 1

    @property
    def is_too_long(self) -> bool:
        """No record can be; only its first part is here."""
        return self.damage is Damage.TORN and len(self.line.data) >= LONGEST_LINE

    def following(self) -> Iterator[Line]:
        """The lines behind it."""
        return lines_after(self.files.files, self.line.path, self.line.number)

    def belongs_here(self, line: Line | None) -> bool:
        """Whether a line is intact and continues the chain from the last good record."""
        found = _intact(line)
        return found is not None and (found[0].chain, found[0].seq, found[1]) == (
            self.before.chain,
            self.expected,
            self.before.hash,
        )


def diagnose(scene: Scene) -> Finding:
    """What was done, in the order in which one look excludes the next.

    Raises:
        AuditError: a file cannot be read any more.
    """
    found = _intact(scene.line)
    if found is None:
        seq, (kind, words) = scene.expected, _broken(scene)
    else:
        head, prev = found
        # Where records are missing, the first of them is the one that is told.
        seq = scene.expected if head.chain == scene.before.chain and head.seq > scene.expected else head.seq
        kind, words = _misplaced(scene, head, prev)
    return Finding(kind, scene.files.name, scene.line.path, scene.line.number, seq, words)


def _broken(scene: Scene) -> Named:
    """The line by itself is no record."""
    following = _next_line(scene)
    if scene.damage is Damage.TORN and not scene.is_too_long:
        if following is None:
            return (
                Kind.TORN,
                "the last line has no end: a write that never finished, or what is left of a cut",
            )
        return Kind.TORN, "the line has no end, and yet the chain goes on behind it"
    if scene.belongs_here(following):
        return (
            Kind.INSERTED,
            f"record {scene.expected} stands in the line behind it, and this one is no record",
        )
    if scene.damage is Damage.ALTERED:
        return Kind.ALTERED, "its hash does not fit what it says"
    if following is None and not scene.line.data.strip():
        return Kind.INSERTED, "an empty line"
    return Kind.ALTERED, f"it is no record in canonical form any more{_what_shows(scene)}"


def _next_line(scene: Scene) -> Line | None:
    """The line behind it; one that is too long comes in parts, of which the last has its end."""
    following = scene.following()
    if scene.is_too_long:
        for part in following:
            if part.path != scene.line.path:
                return part
            if part.data.endswith(b"\n"):
                break
    return next(following, None)


def _what_shows(scene: Scene) -> str:
    """What made it so, where that shows."""
    data = scene.line.data
    if scene.is_too_long:
        return f": it is longer than any record ({LONGEST_LINE // 1024 // 1024} MiB)"
    if data.startswith(BOM_UTF8):
        return ": a byte order mark stands before it, as if a program for texts had saved the file"
    if data.endswith(b"\r\n"):
        return ": it ends in CR LF, as if a program for texts had saved the file"
    if scene.line.number == 1 and data.startswith(b"\x1f\x8b"):
        return f": the file is compressed, and its name lacks {GZIPPED}"
    return ""


def _misplaced(scene: Scene, head: Head, prev: str) -> Named:
    """The line is a record, and not the one that belongs here."""
    before = scene.before
    if head.chain != before.chain:
        return _foreign(scene, head)
    if head.seq > scene.expected:
        return _later(scene, head)
    if head.seq < scene.expected:
        return _older(scene, head)
    if prev == before.hash:
        return Kind.EARLIER, "its time is before that of the record before it"
    if scene.belongs_here(next(scene.following(), None)):
        return Kind.INSERTED, f"the true record {scene.expected} stands in the line behind it"
    return (
        Kind.REPLACED,
        f"it follows another record {before.seq} than the one that is here: that one, or this one and what follows, was "
        "replaced by records with correct hashes",
    )


def _foreign(scene: Scene, head: Head) -> Named:
    whose = f"it belongs to chain {head.chain}"
    if scene.line.number == 1:
        last = None
        for last in scene.following():
            if last.path != scene.line.path:
                break
            ends = _intact(last)
            if ends is None or ends[0].chain != head.chain:
                return Kind.SPLICED, whose
        return Kind.FILE_OF_ANOTHER_CHAIN, f"all of {scene.line.path.name} belongs to chain {head.chain}"
    return Kind.SPLICED, whose


def _later(scene: Scene, head: Head) -> Named:
    """The record has a higher number than belongs here: is the one that does somewhere behind it, or gone?"""
    needle = f'"prev":"{scene.before.hash}"'.encode()
    own = scene.line.data[-76:]
    place: Line | None = None
    again = False
    for line in scene.following():
        if place is None and needle in line.data and scene.belongs_here(line):
            place = line
        again = again or line.data.endswith(own)
    if place is not None:
        there = f"record {scene.expected} stands in {place.path.name}, line {place.number}"
        if again:
            return Kind.DUPLICATED, f"a second copy of record {head.seq}; {there}"
        return Kind.SWAPPED, f"record {head.seq} stands here, and {there}"
    return _missing(scene, head)


def _missing(scene: Scene, head: Head) -> Named:
    last = head.seq - 1
    which = f"record {last} is" if last == scene.expected else f"records {scene.expected} to {last} are"
    if scene.line.number > 1:
        return Kind.DELETED, f"{which} missing before this line"
    if scene.path_before is None:
        return Kind.DELETED, f"{which} missing at the beginning of the chain, or a file before this one is"
    here, there = scene.line.path, scene.path_before
    if _files_between(there, here):
        return Kind.FILE_MISSING, f"{which} missing: a file between {there.name} and {here.name}, as it seems"
    return Kind.DELETED, f"{which} missing at the end of {there.name} or at the beginning of {here.name}"


def _older(scene: Scene, head: Head) -> Named:
    """A number that the chain has had."""
    for line in all_lines(scene.files.files):
        if (line.path, line.number) == (scene.line.path, scene.line.number):
            break
        if line.data == scene.line.data:
            return (
                Kind.DUPLICATED,
                f"a second copy of record {head.seq}, which is in {line.path.name}, line {line.number}",
            )
    return (
        Kind.INSERTED,
        f"another record {head.seq} than the one before: this one or that one was put in, with a correct hash",
    )


def _intact(line: Line | None) -> tuple[Head, str] | None:
    """The line's head and `prev`, where the line by itself is a whole record."""
    try:
        return None if line is None else read_line(line.data)
    except DamagedChainError:
        return None


def _files_between(there: Path, here: Path) -> bool:
    """Whether the names alone say that a file was between two."""
    before, after = parse(there.name), parse(here.name)
    if before is None or after is None:
        return False
    if before.day == after.day:
        return after.number > before.number + 1
    return after.number > 1 or after.day - before.day > timedelta(days=1)
