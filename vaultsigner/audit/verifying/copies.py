"""One chain in several directories: copies of each other, or two histories, of two processes that both took it for theirs."""

from collections.abc import Iterator, Sequence

from vaultsigner.audit.chain import DamagedChainError, read_line
from vaultsigner.audit.files.record_lines import NoSuchRecordError, lines_from
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.verification import Verdict


def forked_copies(verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    """Of each chain that is there more than once, what does not go on as its longest copy does.

    Raises:
        AuditError: a file cannot be read.
    """
    by_name: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_name.setdefault(verdict.chain.name, []).append(verdict)
    for copies in by_name.values():
        longest = max(copies, key=lambda each: each.head.seq)
        for each in copies:
            if each is not longest and each.head.seq and not _goes_on(each, longest):
                yield Finding(
                    Kind.FORKED,
                    each.chain.name,
                    each.chain.directory,
                    0,
                    each.head.seq,
                    f"{longest.chain.directory} has another record of that number: there are two histories of this chain",
                )


def _goes_on(shorter: Verdict, longer: Verdict) -> bool:
    """Each record has the hash of the one before it: where the last is the same, all are."""
    try:
        head, _ = read_line(next(lines_from(longer.chain, shorter.head.seq)))
    except (NoSuchRecordError, DamagedChainError):
        return False
    return (head.seq, head.hash) == (shorter.head.seq, shorter.head.hash)
