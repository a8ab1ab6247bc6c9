"""What a verification found, for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import click

from vaultsigner.audit.files.file_names import parse
from vaultsigner.audit.verifying.anchored import AnchoredChain
from vaultsigner.audit.verifying.findings import Finding, Kind
from vaultsigner.audit.verifying.verification import Verdict
from vaultsigner.cli.policy.words import counted, printable
from vaultsigner.domain.record_time import record_time
from vaultsigner.domain.signed_notes import VerifierKey

NOT_SHOWN = (
    "A chain by itself does not show that its end was cut off, or that all of it was written anew. Give the checkpoints' key "
    "with --key and what anchors keep with --anchors; or note its head away from this machine, and give it with --head the next "
    "time."
)
NOT_ANCHORED = (
    "Signatures do not show that a chain's end was cut off, or that it was rolled back to an older copy: give what anchors keep "
    "with --anchors, or a head that was noted elsewhere with --head."
)
AFTER_ANCHORED = (
    "What came after the last anchored record can have been cut off without a trace here: it is held by the next checkpoint "
    "that is anchored."
)
_SHOWN = 5
_SHOWN_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Args:
        missing: of chains that were noted or anchored, and are not here.
        forks: of anchors that contradict each other.
        keys: by which signatures were checked; none: they were not.
        anchors_alone: no records were looked at.
        problems: places that keep no records or checkpoints, or cannot be read.
    """

    verdicts: tuple[Verdict, ...]
    missing: tuple[Finding, ...] = ()
    anchored: tuple[AnchoredChain, ...] = ()
    forks: tuple[Finding, ...] = ()
    keys: tuple[VerifierKey, ...] = ()
    anchors_alone: bool = False
    problems: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return (
            all(verdict.intact for verdict in self.verdicts)
            and not self.missing
            and not self.forks
            and not any(chain.findings for chain in self.anchored)
            and not self.problems
        )


def show_report(report: Report) -> None:
    """For people. What is damaged comes last, where it is seen; then the verdict, in one line."""
    _show_all(report)
    click.echo(verdict_line(report))


def _show_all(report: Report) -> None:
    if report.anchors_alone:
        click.echo("no records are looked at: the anchors by themselves")
    for chain in sorted(report.anchored, key=lambda chain: bool(chain.findings)):
        _show_anchored(chain, report.keys)
    for verdict in sorted(report.verdicts, key=lambda verdict: not verdict.intact):
        _show_verdict(verdict, report.keys)
    for finding in report.missing:
        _show_finding(finding)
    _show_first(report.forks)
    for problem in report.problems:
        click.echo(f"  {click.style(printable(problem, limit=2048), fg='red')}")
    bare = [verdict for verdict in report.verdicts if verdict.intact and not verdict.confirmed]
    if any(not verdict.coverage.signed for verdict in bare):
        click.echo(NOT_SHOWN)
    elif bare:
        click.echo(NOT_ANCHORED)
    elif any(verdict.intact and _anchored_until(verdict) for verdict in report.verdicts):
        click.echo(AFTER_ANCHORED)


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    """For people, where nothing but the chains was asked about."""
    _show_all(Report(tuple(verdicts)))


def report_document(report: Report) -> dict[str, Any]:
    """For programs."""
    return {
        "intact": report.intact,
        "keys": [str(key) for key in report.keys],
        "chains": [verdict_document(verdict) for verdict in report.verdicts],
        "missing_chains": [_finding_document(finding) for finding in report.missing],
        "anchors": [_anchored_document(chain) for chain in report.anchored],
        "forks": [_finding_document(finding) for finding in report.forks],
        "problems": list(report.problems),
    }


def head_text(verdict: Verdict) -> str:
    """As `--head` takes it."""
    return f"{verdict.chain.name}:{verdict.head.seq}:{verdict.head.hash}"


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Of one chain, for programs."""
    head, finding, coverage = verdict.head, verdict.finding, verdict.coverage
    return {
        "chain": verdict.chain.name,
        "directory": str(verdict.chain.directory),
        "intact": verdict.intact,
        "records": head.seq,
        "files": verdict.files,
        "head": head_text(verdict) if head.seq else None,
        "root": f"{head.seq}:{verdict.root.hex()}" if head.seq else None,
        "last": record_time(head.time_us) if head.seq else None,
        "as_noted": [noted.seq for noted in verdict.confirmed if noted.source is None],
        "as_anchored": _anchored_until(verdict),
        "checkpoints": {
            "count": coverage.checkpoints,
            "covered": coverage.size,
            "signed": coverage.signed,
            "late": coverage.late,
            "notes": list(coverage.notes),
        },
        "notes": list(verdict.notes),
        "not_looked_at": list(verdict.chain.others),
        "damage": None if finding is None else _finding_document(finding),
    }


def _show_verdict(verdict: Verdict, keys: tuple[VerifierKey, ...]) -> None:
    head = verdict.head
    read = f"{_count(head.seq, 'record')} in {counted(verdict.files, 'file')}"
    until = f", the last of {record_time(head.time_us)}" if head.seq else ""
    good = ", " if verdict.intact else "; what comes before is intact: "
    click.echo(f"{verdict.chain.name}: {_state(verdict.intact)}{good}{read}{until}")
    if verdict.intact and head.seq:
        click.echo(f"  head {head_text(verdict)}")
    _show_coverage(verdict, keys)
    noted = [f"{noted.seq:,}" for noted in verdict.confirmed if noted.source is None]
    if noted:
        click.echo(f"  as noted: record {', '.join(noted)}")
    if _anchored_until(verdict):
        click.echo(f"  {_first_records(_anchored_until(verdict))} as anchored")
    for note in verdict.notes:
        click.echo(f"  note: {note}")
    _show_others(verdict.chain.others)
    if verdict.finding is not None:
        _show_finding(verdict.finding)


def _show_others(names: Sequence[str]) -> None:
    """What lies beside the files of records. A compressed one counts for nothing where the plain one is there."""
    twice = [name for name in names if parse(name) is not None]
    others = [name for name in names if parse(name) is None]
    if twice:
        listed = ", ".join(twice[:_SHOWN])
        click.echo(f"  not looked at, for the same file is there uncompressed, and that one counts: {listed}")
    if others:
        listed = ", ".join(printable(name) for name in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        click.echo(f"  not looked at, for it is no file of records: {listed}{more}")


def _show_coverage(verdict: Verdict, keys: tuple[VerifierKey, ...]) -> None:
    coverage, records = verdict.coverage, verdict.head.seq
    if coverage.checkpoints and not keys:
        fit = f"{counted(coverage.checkpoints, 'checkpoint')} up to record {coverage.size:,}"
        click.echo(f"  {fit}: they fit, and their signatures were not checked (--key, --trust)")
    if keys and records:
        signed = f"{_first_records(coverage.signed)} signed" if coverage.signed else "no record is signed"
        behind = records - coverage.signed
        click.echo(f"  {signed}; {behind:,} after that only chained" if behind else f"  {signed}")
    for note in coverage.notes:
        click.echo(f"  note: {note}")
    if coverage.late > len(coverage.notes):
        click.echo(f"  note: so it was {coverage.late:,} times")


def _show_anchored(chain: AnchoredChain, keys: tuple[VerifierKey, ...]) -> None:
    count = counted(len(chain.checkpoints), "checkpoint")
    last = chain.checkpoints[-1] if chain.checkpoints else None
    until = f" up to record {last.size:,}, signed {record_time(last.time_us)}" if last else ""
    linked = f"; {chain.linked:,} proved to go on from the one before" if chain.linked else ""
    unchecked = "" if keys else "; signatures not checked (--key, --trust)"
    where = printable(str(chain.anchor), limit=512)
    click.echo(
        f"anchor {where}, {chain.chain}: {_state(not chain.findings)}, {count}{until}{linked}{unchecked}"
    )
    for gap in chain.gaps[:_SHOWN]:
        click.echo(f"  note: {printable(gap, limit=2048)}")
    if len(chain.gaps) > _SHOWN:
        click.echo(f"  note: and {len(chain.gaps) - _SHOWN} more of the kind")
    unknown = [finding for finding in chain.findings if finding.kind is Kind.KEY_UNKNOWN]
    for words, group in groupby(sorted(unknown, key=lambda each: each.words), lambda each: each.words):
        _show_strangers(list(group), words)
    _show_first([finding for finding in chain.findings if finding.kind is not Kind.KEY_UNKNOWN])


def _show_strangers(findings: Sequence[Finding], words: str) -> None:
    """Checkpoints by a key that was not given: one line, however many years it signed them."""
    if len(findings) == 1:
        _show_finding(findings[0])
        return
    sizes = [finding.seq for finding in findings]
    which = f"{len(findings):,} checkpoints ({min(sizes):,} to {max(sizes):,})"
    told = f"{Kind.KEY_UNKNOWN}: {which} are {words}; add the older trust file with another --trust"
    click.echo(f"  {click.style(printable(told, limit=2048), fg='red')}")


def _show_first(findings: Sequence[Finding]) -> None:
    """Of what may be hundreds of a kind."""
    for finding in findings[:_SHOWN_FINDINGS]:
        _show_finding(finding)
    if len(findings) > _SHOWN_FINDINGS:
        click.echo("  and more of the kind: --json has them")


def _show_finding(finding: Finding) -> None:
    click.echo(f"  {click.style(printable(str(finding), limit=2048), fg='red')}")


def verdict_line(report: Report) -> str:
    """`VERDICT: intact: 2 chains, 73 records, anchored`; `VERDICT: DAMAGED: 1 of 2 chains, see above`."""
    damaged = set(_damaged_chains(report))
    chains = damaged | {verdict.chain.name for verdict in report.verdicts}
    chains |= {chain.chain for chain in report.anchored}
    if not report.intact:
        wrong = [f"{len(damaged):,} of {_count(len(chains), 'chain')}"] if damaged else []
        if report.problems:
            wrong.append(
                f"{_count(len(report.problems), 'directory', 'directories')} without what was looked for"
            )
        return f"VERDICT: {click.style('DAMAGED', fg='red')}: {' and '.join(wrong)}, see above"
    return f"VERDICT: {_state(intact=True)}: {', '.join((_count(len(chains), 'chain'), *_extent(report)))}"


def _damaged_chains(report: Report) -> Iterator[str]:
    yield from (verdict.chain.name for verdict in report.verdicts if not verdict.intact)
    yield from (finding.chain for finding in (*report.missing, *report.forks))
    yield from (chain.chain for chain in report.anchored if chain.findings)


def _extent(report: Report) -> Iterator[str]:
    """How much is intact, and by what it is shown."""
    if report.anchors_alone:
        yield f"{_count(sum(len(chain.checkpoints) for chain in report.anchored), 'checkpoint')}, no records looked at"
        return
    yield _count(sum(verdict.head.seq for verdict in report.verdicts), "record")
    yield from _reached("signed", [verdict.coverage.signed for verdict in report.verdicts])
    yield from _reached("anchored", [_anchored_until(verdict) for verdict in report.verdicts])


def _reached(what: str, numbers: Sequence[int]) -> Iterable[str]:
    """Up to which record, of each chain in the order of the report; nothing, where none is."""
    if not any(numbers):
        return ()
    return (f"{what} to record {' and '.join(f'{number:,}' for number in numbers)}",)


def _count(count: int, what: str, several: str | None = None) -> str:
    return f"{count:,} {what if count == 1 else several or f'{what}s'}"


def _first_records(last: int) -> str:
    return "record 1 is" if last == 1 else f"records 1 to {last:,} are"


def _state(intact: bool) -> str:
    return click.style("intact", fg="green") if intact else click.style("damaged", fg="red")


def _anchored_until(verdict: Verdict) -> int:
    return max((noted.seq for noted in verdict.confirmed if noted.source is not None), default=0)


def _anchored_document(chain: AnchoredChain) -> dict[str, Any]:
    last = chain.checkpoints[-1] if chain.checkpoints else None
    return {
        "anchor": str(chain.anchor),
        "chain": chain.chain,
        "intact": not chain.findings,
        "checkpoints": len(chain.checkpoints),
        "linked": chain.linked,
        "size": last.size if last else 0,
        "last": record_time(last.time_us) if last else None,
        "notes": list(chain.gaps),
        "damage": [_finding_document(finding) for finding in chain.findings],
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "kind": str(finding.kind),
        "chain": finding.chain,
        "file": None if finding.path is None else str(finding.path),
        "line": finding.line or None,
        "seq": finding.seq,
        "explanation": finding.words,
    }
