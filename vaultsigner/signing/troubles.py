"""Tells the operational log when something that signing needs fails, and when it works again: once each, not once a request."""

from collections.abc import Mapping
from types import MappingProxyType

import structlog

from vaultsigner.domain.refusals import Refusal
from vaultsigner.domain.targets import Target
from vaultsigner.signing.calls import Answer, Streamed
from vaultsigner.signing.trail import Trail

log = structlog.get_logger(__name__)

RECORD = frozenset({"audit_unavailable", "state_unavailable"})
KEYS = frozenset({"custody_unavailable", "vault_unavailable", "vault_sealed", "vault_denied"}) | frozenset(
    {"key_missing", "key_malformed", "wrong_key"}
)
NODE = frozenset({"node_unavailable", "outcome_unknown"})
WATCHED = RECORD | KEYS | NODE | {"exchange_unavailable"}

PROVED_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {"sign": RECORD | KEYS, "broadcast": WATCHED, "resync": RECORD | NODE}
)
"""What a good answer to an operation of this verb shows to be working."""


class Troubles:
    """What is failing at present: a refusal's code, and what it concerned (None: before that was known)."""

    def __init__(self) -> None:
        self._present: set[tuple[str, Target | None]] = set()

    def after(self, trail: Trail, answer: Answer | Streamed | Refusal) -> None:
        """Draw the conclusions from how a request ended."""
        if isinstance(answer, Refusal):
            self._happened(trail, answer)
        elif self._present and isinstance(answer, Streamed):
            self._over(WATCHED, trail.target)
        elif self._present:
            self._over(PROVED_BY.get(trail.operation.rpartition(".")[2], RECORD), trail.target)

    def _happened(self, trail: Trail, refusal: Refusal) -> None:
        trouble = (refusal.code, trail.target)
        if refusal.code in WATCHED and trouble not in self._present:
            self._present.add(trouble)
            problem = refusal.reason or refusal.message
            log.warning(
                "trouble",
                code=refusal.code,
                about=None if trail.target is None else str(trail.target),
                problem=problem,
            )

    def _over(self, codes: frozenset[str], target: Target | None) -> None:
        for trouble in [found for found in self._present if found[0] in codes and found[1] in (None, target)]:
            self._present.discard(trouble)
            log.info("trouble_over", code=trouble[0], about=None if trouble[1] is None else str(trouble[1]))
