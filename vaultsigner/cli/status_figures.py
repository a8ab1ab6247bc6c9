"""What a running service tells of its two processes, out of its /metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """None is what was not told.

    Args:
        server_started, custody_started: in seconds since 1970.
        custody_starts: how often custody began to serve: more than once where it was restarted.
        token_ttl_seconds: how long custody's Vault token lives unless it is renewed.
        policy: the digest of the policies in force.
        replicas: processes that were seen in the shared state of late, that one among them.
    """

    version: str | None = None
    server_started: float | None = None
    custody_up: bool | None = None
    custody_started: float | None = None
    custody_starts: int | None = None
    token_ttl_seconds: int | None = None
    policy: str | None = None
    replicas: int | None = None


def read_figures(text: str) -> ServiceFigures | None:
    """What is in them; None where they cannot be read."""
    try:
        values, labels = _read(text)
    except (ValueError, KeyError, IndexError):
        return None
    up = values.get("vaultsigner_custody_up")
    return ServiceFigures(
        version=labels.get("vaultsigner_build_info", {}).get("version"),
        server_started=values.get("process_start_time_seconds"),
        custody_up=None if up is None else up > 0,
        custody_started=values.get("vaultsigner_custody_start_time_seconds"),
        custody_starts=_whole(values.get("vaultsigner_custody_starts_total")),
        token_ttl_seconds=_whole(values.get("vaultsigner_vault_token_ttl_seconds")),
        policy=labels.get("vaultsigner_policy_info", {}).get("digest"),
        replicas=_whole(values.get("vaultsigner_state_replicas")),
    )


def _read(text: str) -> tuple[dict[str, float], dict[str, Mapping[str, str]]]:
    """The first sample of each name: its value, and its labels."""
    values: dict[str, float] = {}
    labels: dict[str, Mapping[str, str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if isfinite(sample.value):
                values.setdefault(sample.name, sample.value)
            labels.setdefault(sample.name, sample.labels)
    return values, labels


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
