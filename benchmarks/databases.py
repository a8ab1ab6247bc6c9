"""What the state costs: the same desk on SQLite and on PostgreSQL, both synced to the same disk before anything is signed."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from benchmarks.desk import Ground, wallet_names
from benchmarks.side_by_side import Comparison, Contender, Rounds, compare
from tests.postgres import PostgresServer, remove_original

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


async def compare_databases(ground: Ground, rounds: Rounds) -> Comparison:
    """Load both with requests that a client signs: each uses up a nonce, and counts against a limit."""
    postgres = await asyncio.to_thread(PostgresServer)
    try:
        postgres.start()  # on this thread, whose end is to be the server's end
        async with AsyncExitStack() as stack:
            contenders = []
            for name, url in ((SQLITE, None), (POSTGRES, postgres.url())):
                running = ground.run_desk(name, replace(ground.plan, state_url=url), planting=url is None)
                desk = await stack.enter_async_context(running)
                contenders.append(Contender(desk.sign_by_client(name, *wallet_names()), desk.processes))
            return await compare(contenders, rounds)
    finally:
        await asyncio.to_thread(postgres.remove)
        remove_original()
