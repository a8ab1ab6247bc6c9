"""A pipeline that keeps what it was asked and answers what the test told it to: it shows what HTTP means, and no more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vaultsigner.domain.audit_position import AuditPosition
from vaultsigner.domain.refusals import Refusal
from vaultsigner.server.pipeline import Standing
from vaultsigner.server.wiping import wipe
from vaultsigner.signing.calls import Answer, Call, Streamed
from vaultsigner.telemetry.metrics import Metric

SIGNED = Answer({"signed_msg": "c0ffee"}, "desk", "sha256:" + "ab" * 32, AuditPosition("a1b2", 7))


@dataclass(frozen=True)
class Readiness:
    """As the real one."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    standings: Mapping[str, Mapping[str, Standing]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """As the real one."""
        return not self.problems


@dataclass
class RecordingPipeline:
    """Answers every operation with `outcome`, or raises `failure`; what is forwarded, with `streamed` where there is one."""

    outcome: Answer | Refusal = SIGNED
    failure: Exception | None = None
    streamed: Streamed | None = None
    recording_fails: bool = False
    problems: tuple[str, ...] = ()
    calls: list[tuple[str, Call]] = field(default_factory=list)
    refusals: list[tuple[Call, Refusal]] = field(default_factory=list)
    logged_in: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def _asked(self, method: str, call: Call) -> Answer | Refusal:
        self.calls.append((method, call))
        if self.failure is not None:
            raise self.failure
        return self.outcome

    async def sign(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("sign", call)

    async def broadcast(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("broadcast", call)

    async def resync(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("resync", call)

    async def wallets(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("wallets", call)

    async def wallet(self, call: Call, name: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(name)
        return self._asked("wallet", call)

    async def check(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("check", call)

    async def approvals(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("approvals", call)

    async def approval(self, call: Call, approval_id: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(approval_id)
        return self._asked("approval", call)

    async def decide_approval(self, call: Call, approval_id: str, *, approve: bool) -> Answer | Refusal:
        """As the real one."""
        self.names.append(approval_id)
        return self._asked("approve" if approve else "reject", call)

    async def suspensions(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("suspensions", call)

    async def suspend(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("suspend", call)

    async def resume(self, call: Call, kind: str, name: str) -> Answer | Refusal:
        """As the real one."""
        self.names.extend((kind, name))
        return self._asked("resume", call)

    async def explain(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("explain", call)

    async def audit_summary(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("audit_summary", call)

    async def audit_records(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("audit_records", call)

    async def audit_csv(self, call: Call) -> Streamed | Refusal:
        """As the real one."""
        self._asked("audit_csv", call)
        return self.streamed or Refusal("record_unreadable", "nothing was planned")

    async def audit_record(self, call: Call, chain: str, seq: str) -> Answer | Refusal:
        """As the real one."""
        self.names.extend((chain, seq))
        return self._asked("audit_record", call)

    async def audit_chains(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("audit_chains", call)

    async def audit_live(self, call: Call) -> Streamed | Refusal:
        """As the real one."""
        self._asked("audit_live", call)
        return self.streamed or Refusal("record_unreadable", "nothing was planned")

    async def limits(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("limits", call)

    def hang_up(self) -> None:
        """As the real one: there is nothing that would go on."""

    async def partner_time(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("partner_time", call)

    async def task_completion(self, call: Call) -> Answer | Refusal:
        """As the real one."""
        return self._asked("task_completion", call)

    async def forward(self, call: Call, exchange: str, path: str) -> Streamed | Answer | Refusal:
        """As the real one."""
        self.names.extend((exchange, path))
        outcome = self._asked("forward", call)
        return outcome if self.streamed is None else self.streamed

    async def sign_for_exchange(self, call: Call, exchange: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(exchange)
        return self._asked("sign_for_exchange", call)

    async def open_api_token(self, call: Call, app: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(app)
        return self._asked("open_api_token", call)

    async def open_api_decrypt(self, call: Call, app: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(app)
        return self._asked("open_api_decrypt", call)

    async def open_api_user_data(self, call: Call, app: str) -> Answer | Refusal:
        """As the real one."""
        self.names.append(app)
        return self._asked("open_api_user_data", call)

    async def log_in(self, call: Call, body: bytearray) -> Answer | Refusal:
        """As the real one, but it keeps what it wipes."""
        self.logged_in.append(bytes(body))
        wipe(body)
        return self._asked("log_in", call)

    async def refused(self, call: Call, refusal: Refusal) -> Refusal:
        """As the real one."""
        self.refusals.append((call, refusal))
        return Refusal("audit_unavailable", "No record can be written") if self.recording_fails else refusal

    async def ready(self) -> Readiness:
        """As the real one."""
        return Readiness(self.problems)

    async def metrics(self) -> Sequence[Metric]:
        """As the real one."""
        return ()
