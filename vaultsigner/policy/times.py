"""The time of day and the days of the week at which a rule holds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from vaultsigner.policy.facts import Facts, Unmet

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY = 24 * 60
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})
"""Names in the zone database that mean another place on every machine, or none."""


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every zone that rules may name."""
    return frozenset(available_timezones()) - _NO_ZONES | {"UTC"}


@dataclass(frozen=True, slots=True)
class DuringTime:
    """The request comes in a window of the day. One that ends before it begins goes over midnight.

    Args:
        days: on which a window begins, 0 for Monday.
        begins, ends: minutes since midnight, by the clocks of the zone; the end itself is outside.
        zone: whose clocks.
    """

    days: frozenset[int]
    begins: int
    ends: int
    zone: str
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # UTC is there without a zone database, too.
        object.__setattr__(self, "_zone", UTC if self.zone == "UTC" else ZoneInfo(self.zone))

    @property
    def field(self) -> str:
        """What it is about."""
        return "time"

    def unmet(self, facts: Facts) -> Unmet | None:
        """Why it does not hold; None where it does."""
        if facts.circumstances is None:
            return Unmet("the time of the request is not known", unknown=True)
        local = facts.circumstances.at.astimezone(self._zone)
        if self._day_of_window(local) in self.days:
            return None
        return Unmet(lambda: f"it is {DAYS[local.weekday()]} {local:%H:%M} in {self.zone}")

    def _day_of_window(self, local: datetime) -> int | None:
        """The day on which the window around this moment began; None where the moment is in no window."""
        minute, day = local.hour * 60 + local.minute, local.weekday()
        if self.begins < self.ends:
            return day if self.begins <= minute < self.ends else None
        if minute >= self.begins:
            return day
        return (day - 1) % 7 if minute < self.ends else None
