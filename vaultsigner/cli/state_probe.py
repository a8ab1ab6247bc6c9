"""Whether a PostgreSQL state would open, found out without changing anything there."""

import asyncio

from vaultsigner.cli.check_report import StateFinding
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql, parse_postgresql
from vaultsigner.errors import StateError
from vaultsigner.state.postgres_probe import try_postgres


async def try_state(settings: Settings) -> StateFinding | None:
    """What opening it would come to; None for an SQLite file, whose directory is tried instead."""
    url = settings.state_url
    if not is_postgresql(url):
        return None
    where = str(parse_postgresql(url))
    try:
        found = await asyncio.to_thread(try_postgres, url, settings.state_options)
    except StateError as error:
        return StateFinding(where, problem=str(error))
    return StateFinding(where, found)
