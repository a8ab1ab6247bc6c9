"""What a verification found, for people and for programs."""

from collections.abc import Sequence
from typing import Any

import click

from vaultsigner.audit.findings import Finding
from vaultsigner.audit.verification import Verdict
from vaultsigner.cli.policy.words import counted, printable
from vaultsigner.domain.record_time import record_time

NOT_SHOWN = (
    "A chain by itself does not show that its end was cut off, or that all of it was written anew. Note its head away from "
    "this machine, and give it with --head the next time."
)


def show_verdicts(verdicts: Sequence[Verdict], missing: Sequence[Finding]) -> None:
    """For people. What is damaged comes last, where it is seen."""
    for verdict in sorted(verdicts, key=lambda verdict: not verdict.intact):
        _show_verdict(verdict)
    for finding in missing:
        _show_finding(finding)
    if any(verdict.intact and not verdict.confirmed for verdict in verdicts):
        click.echo(NOT_SHOWN)


def verdicts_document(verdicts: Sequence[Verdict], missing: Sequence[Finding]) -> dict[str, Any]:
    """For programs."""
    return {
        "intact": all(verdict.intact for verdict in verdicts) and not missing,
        "chains": [_verdict_document(verdict) for verdict in verdicts],
        "missing_chains": [_finding_document(finding) for finding in missing],
    }


def head_text(verdict: Verdict) -> str:
    """As `--head` takes it."""
    return f"{verdict.chain.name}:{verdict.head.seq}:{verdict.head.hash}"


def _show_verdict(verdict: Verdict) -> None:
    head = verdict.head
    read = f"{head.seq:,} {'record' if head.seq == 1 else 'records'} in {counted(verdict.files, 'file')}"
    state = click.style("intact", fg="green") if verdict.intact else click.style("damaged", fg="red")
    until = f", the last of {record_time(head.time_us)}" if head.seq else ""
    good = ", " if verdict.intact else "; what comes before is intact: "
    click.echo(f"{verdict.chain.name}: {state}{good}{read}{until}")
    if verdict.finding is not None:
        _show_finding(verdict.finding)
    elif head.seq:
        click.echo(f"  head {head_text(verdict)}")
    if verdict.confirmed:
        noted = ", ".join(f"{noted.seq:,}" for noted in verdict.confirmed)
        click.echo(f"  as noted: record {noted}")
    if verdict.chain.others:
        others = ", ".join(printable(name) for name in verdict.chain.others[:3])
        click.echo(f"  not looked at, for it is no file of records: {others}")


def _show_finding(finding: Finding) -> None:
    click.echo(f"  {click.style(printable(str(finding), limit=2048), fg='red')}")


def _verdict_document(verdict: Verdict) -> dict[str, Any]:
    head, finding = verdict.head, verdict.finding
    return {
        "chain": verdict.chain.name,
        "directory": str(verdict.chain.directory),
        "intact": verdict.intact,
        "records": head.seq,
        "files": verdict.files,
        "head": head_text(verdict) if head.seq else None,
        "last": record_time(head.time_us) if head.seq else None,
        "as_noted": [noted.seq for noted in verdict.confirmed],
        "not_looked_at": list(verdict.chain.others),
        "damage": None if finding is None else _finding_document(finding),
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
