"""How the service is, for people and for programs. Pure; never holds a secret."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from vaultsigner.cli.policy.words import counted, printable
from vaultsigner.cli.status_figures import ServiceFigures
from vaultsigner.cli.status_findings import (
    AnchorGlance,
    PolicyGlance,
    ServiceFinding,
    StateGlance,
    VaultGlance,
)

Mark = Literal["ok", "warn", "FAIL", "-"]
MOST_CHAINS_SHOWN = 5
NEARLY_PERCENT = 80
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Everything at a glance.

    Args:
        at: when it was looked.
        chains: those in the record's directory, as `chains_overview` tells them; none, and no problem: nothing is there.
        record_problem: why they cannot be read.
    """

    config: str
    at: datetime
    service: ServiceFinding
    vault: VaultGlance
    policy: PolicyGlance
    state: StateGlance
    record: str
    chains: tuple[Mapping[str, Any], ...] = ()
    record_problem: str | None = None
    anchors: tuple[AnchorGlance, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the service says that it would sign now."""
        return self.service.ready

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, **asdict(self), "at": f"{self.at:%Y-%m-%dT%H:%M:%SZ}"}

    def lines(self) -> Iterator[tuple[Mark, str, str]]:
        """For people: a mark, what it is about, and a line."""
        yield from _service(self.service)
        if self.service.figures is not None:
            yield from _processes(self.service.figures, self.at.timestamp())
        yield from _vault(self.vault, self.service)
        yield from _policy(self.policy, self.service.figures)
        yield from _state(self.state, self.service.figures)
        yield from self._record()
        yield from self._anchors()
        yield from _stopped(self.state)
        yield from _limits(self.state)

    def _record(self) -> Iterator[tuple[Mark, str, str]]:
        if self.record_problem is not None:
            yield "warn", "record", printable(self.record_problem, limit=_LONGEST)
            return
        if not self.chains:
            yield self._nothing_recorded()
            return
        total = sum(chain["records"] for chain in self.chains)
        size = sum(chain["bytes"] for chain in self.chains)
        yield (
            "ok",
            "record",
            f"{self.record}: {counted(len(self.chains), 'chain')}, {total} records, {_bytes(size)}",
        )
        newest = sorted(self.chains, key=lambda chain: chain["last"] or "", reverse=True)
        for chain in newest[:MOST_CHAINS_SHOWN]:
            yield "-", "", _chain(chain, self.at)
        if len(newest) > MOST_CHAINS_SHOWN:
            yield "-", "", f"and {len(newest) - MOST_CHAINS_SHOWN} older ones"

    def _nothing_recorded(self) -> tuple[Mark, str, str]:
        known = self.state.chains
        if known:
            return (
                "warn",
                "record",
                f"{self.record}: nothing is here, and the state knows {counted(known, 'chain')}",
            )
        return "-", "record", f"{self.record}: nothing recorded yet"

    def _anchors(self) -> Iterator[tuple[Mark, str, str]]:
        for anchor in self.anchors:
            what = f"{anchor.name} ({anchor.kind})"
            if anchor.problem is not None:
                yield "warn", "anchor", f"{what}: {printable(anchor.problem, limit=_LONGEST)}"
            elif anchor.newest is not None:
                yield "ok", "anchor", f"{what}: newest checkpoint {_ago(anchor.newest, self.at)}"
            elif self.service.running:
                yield "ok", "anchor", f"{what}: the service has no complaint"
            else:
                yield "-", "anchor", f"{what}: not asked; `vaultsigner check` does"


def _service(service: ServiceFinding) -> Iterator[tuple[Mark, str, str]]:
    if service.ready:
        yield "ok", "service", f"ready (operations port {service.address})"
    else:
        what = "runs, and is not ready" if service.running else "does not run here"
        yield "FAIL", "service", f"{what} (operations port {service.address})"
    for problem in service.problems:
        yield "FAIL" if service.running else "-", "", printable(problem, limit=_LONGEST)
    for warning in service.warnings:
        yield "warn", "", printable(warning, limit=_LONGEST)
    told = "; ".join(service.problems)
    for name, reason in service.unusable.items():
        if reason != told:  # What stands in the way of all has been told.
            yield "warn", "", f"{printable(name)} cannot be used: {printable(reason, limit=_LONGEST)}"


def _processes(figures: ServiceFigures, now: float) -> Iterator[tuple[Mark, str, str]]:
    server = f"server {printable(figures.version or '')} {_up_since(figures.server_started, now)}"
    if figures.custody_up is False:
        yield "FAIL", "processes", f"{server}; custody does not answer"
        return
    starts = figures.custody_starts or 1
    again = f", started {starts} times since the server was" if starts > 1 else ""
    yield (
        "warn" if starts > 1 else "ok",
        "processes",
        f"{server}; custody {_up_since(figures.custody_started, now)}{again}",
    )


def _up_since(started: float | None, now: float) -> str:
    return "runs" if started is None else f"up for {_span(max(0, round(now - started)))}"


def _vault(vault: VaultGlance, service: ServiceFinding) -> Iterator[tuple[Mark, str, str]]:
    version = f", version {printable(vault.version)}" if vault.version else ""
    if vault.problem is None:
        mark: Mark = "ok" if vault.state in ("active", "standby") else "FAIL"
        ttl = service.figures.token_ttl_seconds if service.figures else None
        token = f"; custody's token lives {_span(ttl)} unless renewed" if ttl is not None else ""
        yield mark, "vault", f"{vault.address}: {vault.state}{version}{token}"
    else:
        # The service may have a way to Vault that we have not; where it has none either, it says so itself.
        mark = "-" if service.ready else "FAIL"
        yield mark, "vault", f"{vault.address}: {printable(vault.problem, limit=_LONGEST)}"


def _policy(policy: PolicyGlance, figures: ServiceFigures | None) -> Iterator[tuple[Mark, str, str]]:
    if policy.problem is not None:
        yield "warn", "policy", f"{policy.directory}: {printable(policy.problem, limit=_LONGEST)}"
    else:
        digest = policy.digest or ""
        yield "ok", "policy", f"{policy.directory}: {counted(policy.rules, 'rule')}, {digest[:19]}"
        in_force = figures.policy if figures else None
        if in_force is not None and in_force != digest:
            yield "warn", "", f"the service still applies others, {printable(in_force)[:19]}"


def _state(state: StateGlance, figures: ServiceFigures | None) -> Iterator[tuple[Mark, str, str]]:
    if state.problem is not None:
        yield "warn", "state", printable(state.problem, limit=_LONGEST)
        return
    replicas = figures.replicas if figures else None
    shared = (
        f", processes seen there of late: {replicas}" if replicas and state.engine == "postgresql" else ""
    )
    chains = counted(state.chains, "chain")
    yield "ok", "state", f"{state.where} ({state.engine}){shared}; knows {chains} of the record"


def _stopped(state: StateGlance) -> Iterator[tuple[Mark, str, str]]:
    if state.problem is not None:
        return
    if not state.suspensions:
        yield "ok", "suspended", "nothing"
    for each in state.suspensions:
        what = "everything" if each["kind"] == "all" else f"{each['kind']} {each['name']}"
        reason = printable(str(each["reason"]), limit=_LONGEST)
        yield (
            "warn",
            "suspended",
            f"{printable(what)} since {each['since']}, by {printable(each['by'])}: {reason}",
        )
    waiting = [each for each in state.approvals if each["status"] == "open"]
    if waiting:
        first = (
            f"{waiting[0]['id']} by {printable(waiting[0]['requested_by'])} until {waiting[0]['expires_at']}"
        )
        yield "warn", "approvals", f"{counted(len(waiting), 'request')} waiting; the first to expire: {first}"
    else:
        yield "ok", "approvals", "nothing waits"


def _limits(state: StateGlance) -> Iterator[tuple[Mark, str, str]]:
    if state.problem is not None:
        return
    full = nearly_used(state.limits)
    for each in full:
        whose = f" ({printable(each['subject'])})" if each["subject"] else ""
        yield "warn", "limit", f"rule {each['rule']}: {each['used']} of {each['limit']}{whose}"
    if not full:
        yield "ok", "limits", f"none is used to {NEARLY_PERCENT} %"


def nearly_used(limits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are used to NEARLY_PERCENT and more, the fullest first."""
    shares = [(float(each["used"]) / float(each["most"]), each) for each in limits if float(each["most"])]
    full = [(share, each) for share, each in shares if share * 100 >= NEARLY_PERCENT]
    return [each for _, each in sorted(full, key=lambda pair: pair[0], reverse=True)]


def _chain(chain: Mapping[str, Any], at: datetime) -> str:
    checkpoint = chain["checkpoint"]
    signed = (
        f"checkpoint at {checkpoint['size']}, {_ago(checkpoint['time'], at)}"
        if checkpoint
        else "no checkpoint near its end"
    )
    last = _ago(chain["last"], at) if chain["last"] else "nothing readable at its end"
    return f"{chain['chain']}: {chain['records']} records, last {last}; {signed}"


def _ago(time: str, at: datetime) -> str:
    """`42 s ago`; as it stands where it is no time of ours."""
    try:
        seconds = round((at - datetime.fromisoformat(time).astimezone(UTC)).total_seconds())
    except ValueError:
        return printable(time)
    return f"{_span(-seconds)} ahead of this clock" if seconds < 0 else f"{_span(seconds)} ago"


def _span(seconds: int) -> str:
    """In the unit that people think in; the 72 h of a token are hours, and not "2 days" a second later."""
    for size, unit, least in ((86400, "days", 4), (3600, "h", 2), (60, "min", 2)):
        if seconds >= least * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _bytes(size: int) -> str:
    for step, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} bytes"
