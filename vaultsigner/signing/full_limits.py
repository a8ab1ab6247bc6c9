"""How full the limits of policy are, for those who may read the record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from vaultsigner.config.settings import Settings
from vaultsigner.domain.names import JsonValue
from vaultsigner.policy import PolicySet
from vaultsigner.policy.decimals import shown_decimal
from vaultsigner.policy.limits import LimitRule
from vaultsigner.policy.rules import Rule
from vaultsigner.signing.clock import Clock
from vaultsigner.signing.policy_limits import UNITS_PER_ONE
from vaultsigner.state import State

MOST_WINDOWS = 5000
"""That are looked at in one go; a desk has far fewer."""


@dataclass(frozen=True, slots=True)
class _Window:
    """One of a limit's. `subject` is None where all share it."""

    rule: str
    limit: LimitRule
    key: str
    subject: str | None


class FullLimits:
    """Looks at what is used, and uses nothing."""

    def __init__(self, state: State, settings: Settings, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._principals = (
            *(f"user:{name}" for name in settings.users),
            *(f"client:{name}" for name in settings.clients),
        )
        self._targets = (
            *(f"wallet:{name}" for name in settings.wallets),
            *(f"exchange:{name}" for name in settings.exchanges),
            *(f"open_api:{name}" for name in settings.open_api),
        )

    async def listed(self, policies: PolicySet) -> JsonValue:
        """Every limit of every rule: with each of its windows that something is used of, or alone where nothing is.

        Raises:
            StateError: it is not known.
        """
        windows = [window for rule in policies.rules for window in self._windows(rule)]
        looked_at = windows[:MOST_WINDOWS]
        used = await self._state.limit_usage(
            [window.key for window in looked_at], now_ms=self._clock.milliseconds()
        )
        told: list[JsonValue] = []
        quiet: dict[tuple[str, LimitRule], bool] = {}
        for window in looked_at:
            units = used.get(window.key, 0)
            place = (window.rule, window.limit)
            if units or window.subject is None:
                told.append(_told(window, window.subject, units))
                quiet[place] = False
            else:
                quiet.setdefault(place, True)
        told += [_told(_Window(*place, "", None), None, 0) for place, unused in quiet.items() if unused]
        return {"limits": told, "left_out": len(windows) - len(looked_at)}

    async def fullest(self, policies: PolicySet) -> Mapping[tuple[str, str], float]:
        """How full each limit is, from 0 to 1, by rule and by the limit in words; of its windows the fullest counts.

        Whose window that is stays out: this is for those who watch the service, and not the record.

        Raises:
            StateError: it is not known.
        """
        windows = [window for rule in policies.rules for window in self._windows(rule)][:MOST_WINDOWS]
        used = await self._state.limit_usage(
            [window.key for window in windows], now_ms=self._clock.milliseconds()
        )
        found: dict[tuple[str, str], float] = {}
        for window in windows:
            most = window.limit.max * UNITS_PER_ONE
            share = float(used.get(window.key, 0) / most) if most else 1.0
            place = (window.rule, _in_words(window.limit))
            found[place] = max(share, found.get(place, 0.0))
        return found

    def _windows(self, rule: Rule) -> Iterator[_Window]:
        for index, limit in rule.numbered_limits():
            if limit.per == "rule":
                yield _Window(rule.id, limit, limit.key(rule.id, index, "rule"), None)
                continue
            names, meant = (
                (self._principals, rule.principals)
                if limit.per == "principal"
                else (self._targets, rule.targets)
            )
            for name in names:
                if meant.match(name):
                    yield _Window(rule.id, limit, limit.key(rule.id, index, name), name)


def _in_words(limit: LimitRule) -> str:
    unit = "requests" if limit.field is None else limit.field
    per = "" if limit.per == "rule" else f" per {limit.per}"
    return f"{shown_decimal(limit.max)} {unit} every {limit.every_seconds} s{per}"


def _told(window: _Window, subject: str | None, units: int) -> JsonValue:
    limit = window.limit
    return {
        "rule": window.rule,
        "limit": _in_words(limit),
        "subject": subject,
        "used": shown_decimal(Decimal(units) / UNITS_PER_ONE),
        "most": shown_decimal(limit.max),
        "unit": "requests" if limit.field is None else limit.field,
        "until": None,
    }
