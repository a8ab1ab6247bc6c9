"""What came back, before anybody has read its body."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

_DECISION = re.compile(
    r"rule=(?P<rule>[^;]*); policy=(?P<policy>[^;]*); audit=(?P<chain>[^:;]+):(?P<seq>[0-9]{1,19})"
)


@dataclass(frozen=True, slots=True)
class Decision:
    """`X-Vaultsigner-Decision`: what allowed a request, and where its record stands.

    Args:
        rule: the rule's id.
        policy: the first 12 digits of the policies' SHA-256.
        chain, seq: the record's chain, and its number there.
    """

    rule: str
    policy: str
    chain: str
    seq: int

    @property
    def audit(self) -> str:
        """The record's place, as the header has it: `<chain>:<seq>`."""
        return f"{self.chain}:{self.seq}"

    @classmethod
    def parse(cls, text: str) -> "Decision | None":
        """The header's value, taken apart; None for what is none."""
        found = _DECISION.fullmatch(text)
        return cls(found["rule"], found["policy"], found["chain"], int(found["seq"])) if found else None


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, read to its end.

    Args:
        headers: by their names in lower case.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str:
        """What the records call the request."""
        return self.headers.get("x-request-id", "")

    @property
    def decision(self) -> Decision | None:
        """What allowed it, where a rule did."""
        return Decision.parse(self.headers.get("x-vaultsigner-decision", ""))

    @property
    def retry_after_seconds(self) -> float | None:
        """`Retry-After`, where it is a number."""
        text = self.headers.get("retry-after", "")
        return float(text) if re.fullmatch(r"[0-9]{1,9}", text) else None

    @property
    def date_ms(self) -> int | None:
        """When the service answered, to the second, in milliseconds since 1970; None where it does not say."""
        try:
            found = parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError):
            return None
        return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)

    def json_or_none(self) -> Any:
        """The body as JSON, with numbers that are not whole as Decimal, for they may be amounts; None where it is none."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError):
            return None
