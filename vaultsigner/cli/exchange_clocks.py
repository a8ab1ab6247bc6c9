"""What `vaultsigner check` found of an exchange that it asked for the time. Pure."""

from dataclasses import dataclass
from typing import Literal

from vaultsigner.custody.exchange_protocol import FURTHEST_CLOCK_MS

NOTABLE_CLOCK_MS = 1_000


@dataclass(frozen=True, slots=True)
class ExchangeHostFinding:
    """One address at which exchanges answer.

    Args:
        base_url: that.
        exchanges: the names of those that answer there.
        clock_offset_ms: its clock minus this machine's; None where it did not tell.
        problem: why not.
    """

    base_url: str
    exchanges: tuple[str, ...]
    clock_offset_ms: int | None = None
    problem: str | None = None


def told(found: ExchangeHostFinding) -> tuple[Literal["ok", "warn", "FAIL"], str]:
    """A mark and a line. An exchange that does not answer may do so later; a clock too far off is a request never signed."""
    who = f"{found.base_url} ({', '.join(found.exchanges)})"
    if found.problem is not None or found.clock_offset_ms is None:
        return "warn", f"{who}: {found.problem or 'it does not tell the time'}"
    apart = _apart(found.clock_offset_ms)
    if abs(found.clock_offset_ms) > FURTHEST_CLOCK_MS:
        most = FURTHEST_CLOCK_MS // 1000
        return (
            "FAIL",
            f"{who}: {apart}, and beyond {most} s nothing is signed for it: set the one that is wrong",
        )
    if abs(found.clock_offset_ms) > NOTABLE_CLOCK_MS:
        return (
            "warn",
            f"{who}: {apart}; that is corrected in what is signed, but see which of the two is wrong",
        )
    return "ok", f"{who} answers; {apart}"


def _apart(offset_ms: int) -> str:
    size = abs(offset_ms)
    amount = f"{size} ms" if size < 10_000 else f"{size / 1000:.0f} s"
    return f"its clock is {amount} {'behind' if offset_ms < 0 else 'ahead of'} this machine's"
