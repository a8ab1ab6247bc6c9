"""The numbers of the pipeline: what is asked of custody and of the state for them is asked at most once in a while."""

import asyncio
import platform
from collections.abc import Awaitable, Iterator

import vaultsigner
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.metrics_protocol import CustodyMetrics
from vaultsigner.domain.checkpoints import Checkpoint
from vaultsigner.errors import CustodyError, StateError
from vaultsigner.group_commit import Load
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.policies import PolicyKeeper
from vaultsigner.signing.readiness import COMPONENTS, Readiness, ReadinessCheck
from vaultsigner.signing.record_keeping import KeptRecord
from vaultsigner.signing.suspensions import KINDS, SuspensionWatch
from vaultsigner.state import State
from vaultsigner.telemetry.metrics import Metric, Sample, counter, gauge, histogram, single

KEPT_SECONDS = 0.5
"""How long what others told counts as new: several who ask at once cost no more than one."""
PATIENCE_SECONDS = 3.0
"""How long one part may take to tell: whoever asks waits ten seconds at most, and wants the others."""
REPLICA_SECONDS = 90.0
"""A replica that runs is seen every 30 seconds."""


class Figures:
    """Reads them off the parts."""

    def __init__(
        self,
        *,
        custody: CustodyClient,
        state: State,
        record: KeptRecord,
        policies: PolicyKeeper,
        watch: SuspensionWatch,
        full_limits: FullLimits,
        readiness: ReadinessCheck,
        clock: Clock,
    ) -> None:
        self._custody = custody
        self._state = state
        self._record = record
        self._policies = policies
        self._watch = watch
        self._full_limits = full_limits
        self._readiness = readiness
        self._clock = clock
        self._asking = asyncio.Lock()
        self._told: tuple[Metric, ...] = ()
        self._told_at = float("-inf")

    async def metrics(self) -> list[Metric]:
        """All of them. What cannot be told now is left out; never raises for that."""
        asked = await self._asked()
        return [
            _build(),
            *self._custody.asked.metrics(),
            *_of_load("state", "the state", self._state.load),
            *_of_load("audit", "the record", self._record.recorder.load),
            *self._of_record(),
            *self._of_policies(),
            *asked,
        ]

    async def _asked(self) -> tuple[Metric, ...]:
        """What is asked of others, who have something better to do."""
        slow = (self._of_custody, self._of_readiness, self._of_limits, self._of_waiting)
        async with self._asking:
            loop = asyncio.get_running_loop()
            if loop.time() - self._told_at >= KEPT_SECONDS:
                found = await asyncio.gather(*(_patiently(each()) for each in slow))
                self._told = tuple(metric for each in found for metric in each)
                self._told_at = loop.time()
            return self._told

    async def _of_custody(self) -> list[Metric]:
        up = gauge("vaultsigner_custody_up", "Whether the custody process answers.", single(0))
        starts = counter(
            "vaultsigner_custody_starts_total",
            "How often custody began to serve this server: more than once where it was restarted.",
            single(self._custody.hellos),
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS / 2):
                told = await self._custody.metrics()
        except (CustodyError, TimeoutError):
            return [up, starts]
        return [gauge(up.name, up.help, single(1)), starts, *_of_custody(told)]

    async def _of_readiness(self) -> list[Metric]:
        return list(_of_readiness(await self._readiness.check()))

    async def _of_limits(self) -> list[Metric]:
        fullest = await self._full_limits.fullest(self._policies.current)
        return [
            gauge(
                "vaultsigner_limit_used_ratio",
                "How full a limit of a rule is, from 0 to 1; of several windows the fullest.",
                *(Sample(share, {"rule": rule, "limit": limit}) for (rule, limit), share in fullest.items()),
            )
        ]

    async def _of_waiting(self) -> list[Metric]:
        now_ms = self._clock.milliseconds()
        waiting = await self._state.list_approvals(now_ms=now_ms)
        replicas = await self._state.replicas()
        newest_ms = max((each.seen_at_ms for each in replicas), default=0)
        recent = [each for each in replicas if newest_ms - each.seen_at_ms <= REPLICA_SECONDS * 1000]
        return [
            gauge(
                "vaultsigner_approvals_waiting", "Approvals that are open or granted.", single(len(waiting))
            ),
            gauge(
                "vaultsigner_state_replicas",
                "Processes that were seen in the state of late, this one among them.",
                single(max(len(recent), 1)),
            ),
        ]

    def _of_record(self) -> Iterator[Metric]:
        recorder, checkpoints = self._record.recorder, self._record.checkpoints
        chain = {"chain": recorder.chain}
        yield gauge(
            "vaultsigner_audit_chain_head",
            "The number of the last record of this process's chain.",
            Sample(recorder.head.seq, chain),
        )
        last = None if checkpoints is None else checkpoints.last
        yield gauge(
            "vaultsigner_audit_checkpoint_failing",
            "Whether the last attempt to make a checkpoint failed.",
            single(checkpoints is not None and checkpoints.problem is not None),
        )
        yield gauge(
            "vaultsigner_audit_checkpoint_size",
            "How many records the last checkpoint of this process's chain covers.",
            *([] if last is None else [Sample(last.size, chain)]),
        )
        yield gauge(
            "vaultsigner_audit_checkpoint_age_seconds",
            "How long ago that checkpoint was made; they are made each minute.",
            *([] if last is None else [single(self._seconds_since(last))]),
        )
        yield from self._of_anchors()

    def _seconds_since(self, checkpoint: Checkpoint) -> float:
        return max(0.0, self._clock.milliseconds() / 1000 - checkpoint.time_us / 1_000_000)

    def _of_anchors(self) -> Iterator[Metric]:
        anchoring = self._record.anchoring
        states = () if anchoring is None else anchoring.status()
        yield gauge(
            "vaultsigner_audit_anchors_failing",
            "Anchors that do not take checkpoints.",
            single(sum(each.problem is not None for each in states)),
        )
        yield gauge(
            "vaultsigner_audit_anchor_up",
            "Whether an anchor takes checkpoints.",
            *(Sample(float(each.problem is None), {"anchor": each.name}) for each in states),
        )
        yield gauge(
            "vaultsigner_audit_anchor_queue_length",
            "Checkpoints that wait to be kept by an anchor.",
            *(Sample(each.waiting, {"anchor": each.name}) for each in states),
        )

    def _of_policies(self) -> Iterator[Metric]:
        current = self._policies.current
        yield gauge(
            "vaultsigner_policy_info",
            "Always 1; the digest is that of the policies in force.",
            Sample(1, {"digest": current.digest}),
        )
        yield gauge("vaultsigner_policy_rules", "Rules in force.", single(len(current.rules)))
        yield gauge(
            "vaultsigner_policy_reload_failing",
            "Whether the policy files as they are now are not in force.",
            single(self._policies.problem is not None),
        )
        suspended = [each.kind for each in self._watch.list()]
        yield gauge(
            "vaultsigner_suspensions",
            "What operators have suspended, by kind.",
            *(Sample(suspended.count(kind), {"kind": kind}) for kind in KINDS),
        )


async def _patiently(reading: Awaitable[list[Metric]]) -> list[Metric]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await reading
    except (StateError, TimeoutError):
        return []


def _build() -> Metric:
    labels = {"version": vaultsigner.__version__, "python": platform.python_version()}
    return gauge("vaultsigner_build_info", "Always 1; the labels say what runs.", Sample(1, labels))


def _of_load(name: str, what: str, load: Load) -> Iterator[Metric]:
    yield histogram(
        f"vaultsigner_{name}_request_duration_seconds",
        f"How long requests to {what} waited until they were on disk, or refused.",
        Sample(load.waits),
    )
    yield counter(
        f"vaultsigner_{name}_errors_total", f"Requests to {what} that had no good end.", single(load.failures)
    )
    yield gauge(f"vaultsigner_{name}_queue_length", f"Requests that wait for {what}.", single(load.waiting))


def _of_custody(told: CustodyMetrics) -> Iterator[Metric]:
    yield gauge(
        "vaultsigner_custody_start_time_seconds",
        "When the custody process started, in seconds since 1970.",
        single(told.started_at_seconds),
    )
    yield counter(
        "vaultsigner_custody_cpu_seconds_total", "CPU time of the custody process.", single(told.cpu_seconds)
    )
    yield gauge(
        "vaultsigner_custody_peak_memory_bytes",
        "The most that the custody process had in memory.",
        single(told.peak_memory_bytes),
    )
    yield gauge(
        "vaultsigner_vault_token_ttl_seconds",
        "How long custody's Vault token still lives; absent where it does not end, or is not good.",
        *([] if told.token_ttl_seconds is None else [single(told.token_ttl_seconds)]),
    )
    yield from _of_vault(told)


def _of_vault(told: CustodyMetrics) -> Iterator[Metric]:
    yield counter(
        "vaultsigner_vault_secret_reads_total", "Secrets that custody read.", single(told.vault_reads)
    )
    yield gauge(
        "vaultsigner_vault_connections", "Connections to Vault that are open.", single(told.vault_connections)
    )
    yield counter(
        "vaultsigner_vault_requests_total",
        "What custody asked of Vault, by operation and outcome; unused is what was asked ahead and not needed.",
        *(
            Sample(count, {"operation": operation, "outcome": outcome})
            for operation, outcome, count in told.vault_outcomes
        ),
    )
    yield histogram(
        "vaultsigner_vault_request_duration_seconds",
        "How long custody waited for Vault; for what was asked ahead, from when it was needed.",
        *(Sample(times, {"operation": operation}) for operation, times in told.vault_times),
    )


def _of_readiness(readiness: Readiness) -> Iterator[Metric]:
    yield gauge(
        "vaultsigner_ready", "Whether signatures can be made: what /readyz says.", single(readiness.ok)
    )
    failing = {problem.partition(":")[0] for problem in readiness.problems}
    yield gauge(
        "vaultsigner_component_ready",
        "Whether a part that every signature needs works.",
        *(Sample(float(each not in failing), {"component": each}) for each in COMPONENTS),
    )
    yield gauge(
        "vaultsigner_target_ready",
        "Whether a wallet, an exchange or an Open API app could be signed for; /readyz has the reason where not.",
        *(
            Sample(float(standing.ready), {"kind": kind, "name": name})
            for kind, named in readiness.standings.items()
            for name, standing in named.items()
        ),
    )
