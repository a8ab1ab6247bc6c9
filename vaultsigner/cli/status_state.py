"""What the state knows that is worth a glance: what is stopped, what waits, and which limits are nearly used."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, cast

from vaultsigner.cli.live_state import with_state
from vaultsigner.cli.state_probe import try_state
from vaultsigner.cli.status_findings import StateGlance
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql, parse_postgresql
from vaultsigner.errors import VaultsignerError
from vaultsigner.policy import PolicySet
from vaultsigner.signing.clock import SystemClock
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.moments import told
from vaultsigner.state import State
from vaultsigner.state.upkeep import newest_schema

LOCKED_SECONDS = 2.0
_WOULD_CHANGE = "next start"
"""In what `try_state` says of tables that opening the state would make or migrate."""


def look_at_state(settings: Settings, policies: PolicySet | None) -> StateGlance:
    """What it knows, or why that cannot be told; limits only where there are policies that name them."""
    engine: Literal["sqlite", "postgresql"] = "postgresql" if is_postgresql(settings.state_url) else "sqlite"
    # An SQLite file's URL has no password.
    where = str(parse_postgresql(settings.state_url)) if engine == "postgresql" else settings.state_url
    try:
        tried = asyncio.run(try_state(settings))
        if tried is not None and tried.problem is not None:
            return StateGlance(engine, where, tried.problem)
        if tried is not None and _WOULD_CHANGE in tried.found:
            return StateGlance(engine, where, f"{where}: {tried.found}")
        if engine == "sqlite" and _is_older(settings.state_url):
            return StateGlance(engine, where, f"{where}: the next start migrates its tables")
        return with_state(
            settings,
            lambda state: _read(state, settings, policies, StateGlance(engine, where)),
        )
    except VaultsignerError as error:
        return StateGlance(engine, where, str(error))


def _is_older(url: str) -> bool:
    """Whether opening an SQLite file would change its tables; whatever else is wrong with it, opening it tells."""
    path = Path(url.removeprefix("sqlite:///")).absolute()
    try:
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=LOCKED_SECONDS)
        ) as connection:
            (version,) = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    except sqlite3.Error:
        return False
    return version is not None and version < newest_schema(url)


async def _read(
    state: State, settings: Settings, policies: PolicySet | None, found: StateGlance
) -> StateGlance:
    clock = SystemClock()
    suspended = (await state.suspensions()).suspended
    approvals = await state.list_approvals(now_ms=clock.milliseconds())
    listed: Any = {"limits": []}
    if policies is not None:
        listed = await FullLimits(state, settings, clock).listed(policies)
    return StateGlance(
        found.engine,
        found.where,
        chains=len(await state.noted_checkpoints()),
        suspensions=tuple(
            {
                "kind": each.kind,
                "name": each.name,
                "reason": each.reason,
                "by": each.by,
                "since": told(each.at_ms),
            }
            for each in suspended
        ),
        approvals=tuple(
            {
                "id": known.approval.id,
                "status": str(known.status),
                "requested_by": known.approval.requested_by,
                "rule": known.approval.rule,
                "expires_at": told(known.approval.expires_at_ms),
            }
            for known in approvals
        ),
        limits=tuple(
            {name: each[name] for name in ("rule", "limit", "subject", "used", "most", "unit")}
            for each in cast("list[dict[str, Any]]", listed["limits"])
            if each["used"] != "0"
        ),
    )
