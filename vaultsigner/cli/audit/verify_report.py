"""What a verification found, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from vaultsigner.audit.verifying.anchored import AnchoredChain
from vaultsigner.audit.verifying.findings import Finding
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
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found.

    Args:
        missing: of chains that were noted or anchored, and are not here.
        forks: of anchors that contradict each other.
        keys: by which signatures were checked; none: they were not.
        anchors_alone: no records were looked at.
    """

    verdicts: tuple[Verdict, ...]
    missing: tuple[Finding, ...] = ()
    anchored: tuple[AnchoredChain, ...] = ()
    forks: tuple[Finding, ...] = ()
    keys: tuple[VerifierKey, ...] = ()
    anchors_alone: bool = False

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return (
            all(verdict.intact for verdict in self.verdicts)
            and not self.missing
            and not self.forks
            and not any(chain.findings for chain in self.anchored)
        )


def show_report(report: Report) -> None:
    """For people. What is damaged comes last, where it is seen."""
    if report.anchors_alone:
        click.echo("no records are looked at: the anchors by themselves")
    for chain in sorted(report.anchored, key=lambda chain: bool(chain.findings)):
        _show_anchored(chain, report.keys)
    for verdict in sorted(report.verdicts, key=lambda verdict: not verdict.intact):
        _show_verdict(verdict, report.keys)
    for finding in (*report.missing, *report.forks):
        _show_finding(finding)
    bare = [verdict for verdict in report.verdicts if verdict.intact and not verdict.confirmed]
    if any(not verdict.coverage.signed for verdict in bare):
        click.echo(NOT_SHOWN)
    elif bare:
        click.echo(NOT_ANCHORED)


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    """For people, where nothing but the chains was asked about."""
    show_report(Report(tuple(verdicts)))


def report_document(report: Report) -> dict[str, Any]:
    """For programs."""
    return {
        "intact": report.intact,
        "keys": [str(key) for key in report.keys],
        "chains": [verdict_document(verdict) for verdict in report.verdicts],
        "missing_chains": [_finding_document(finding) for finding in report.missing],
        "anchors": [_anchored_document(chain) for chain in report.anchored],
        "forks": [_finding_document(finding) for finding in report.forks],
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
        "not_looked_at": list(verdict.chain.others),
        "damage": None if finding is None else _finding_document(finding),
    }


def _show_verdict(verdict: Verdict, keys: tuple[VerifierKey, ...]) -> None:
    head = verdict.head
    read = f"{head.seq:,} {'record' if head.seq == 1 else 'records'} in {counted(verdict.files, 'file')}"
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
        click.echo(f"  records 1 to {_anchored_until(verdict):,} are as anchored")
    if verdict.chain.others:
        others = ", ".join(printable(name) for name in verdict.chain.others[:3])
        click.echo(f"  not looked at, for it is no file of records: {others}")
    if verdict.finding is not None:
        _show_finding(verdict.finding)


def _show_coverage(verdict: Verdict, keys: tuple[VerifierKey, ...]) -> None:
    coverage, records = verdict.coverage, verdict.head.seq
    if coverage.checkpoints and not keys:
        fit = f"{counted(coverage.checkpoints, 'checkpoint')} up to record {coverage.size:,}"
        click.echo(f"  {fit}: they fit, and their signatures were not checked (--key, --trust)")
    if keys and records:
        signed = f"records 1 to {coverage.signed:,} are signed" if coverage.signed else "no record is signed"
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
    for finding in chain.findings:
        _show_finding(finding)


def _show_finding(finding: Finding) -> None:
    click.echo(f"  {click.style(printable(str(finding), limit=2048), fg='red')}")


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
