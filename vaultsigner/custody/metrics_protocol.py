"""What custody tells of its own work: numbers, and words of ours. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vaultsigner.domain.names import JsonValue
from vaultsigner.telemetry.measures import Times

VaultOperation = Literal[
    "read_secret", "find_secret", "read_key", "sign", "hmac", "log_in", "status", "other"
]
"""What Vault was asked for: a secret's value, whether there is one, a Transit key's public half, a signature of Transit."""
KeyKind = Literal["wallet", "exchange", "open_api"]
Presence = Literal["present", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class KeyPresence:
    """Whether Vault has what a wallet, an exchange or an app needs.

    Args:
        reason: why it is missing, or not known; None where it is present.
    """

    presence: Presence
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CustodyMetrics:
    """Since custody's own start.

    Args:
        started_at_seconds: that start, since 1970.
        cpu_seconds: used by the process.
        peak_memory_bytes: the most that it ever had in memory.
        token_ttl_seconds: as in `CustodyHealth`.
        vault_reads: secrets read.
        vault_connections: open now.
        vault_outcomes: by operation and outcome (`ok`, a code of an error, or `unused`) how many questions there were.
        vault_times: by operation how long answers were waited for; of what was asked for ahead, from when it was needed.
    """

    started_at_seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    token_ttl_seconds: int | None
    vault_reads: int
    vault_connections: int
    vault_outcomes: tuple[tuple[str, str, int], ...] = ()
    vault_times: tuple[tuple[str, Times], ...] = ()

    def document(self) -> dict[str, JsonValue]:
        """As it stands in the answer."""
        outcomes: list[JsonValue] = [[*each] for each in self.vault_outcomes]
        times: list[JsonValue] = [[operation, each.document()] for operation, each in self.vault_times]
        return {**asdict(self), "vault_outcomes": outcomes, "vault_times": times}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "CustodyMetrics":
        """What `document` was made of.

        Raises:
            ValueError, KeyError, TypeError: it was not.
        """
        return cls(
            **{
                **document,
                "vault_outcomes": tuple(
                    (what, how, int(count)) for what, how, count in document["vault_outcomes"]
                ),
                "vault_times": tuple(
                    (what, Times.from_document(each)) for what, each in document["vault_times"]
                ),
            }
        )
