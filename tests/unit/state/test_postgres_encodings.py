"""Databases that keep texts in another encoding than UTF-8 answer the same."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.postgres import PostgresServer
from vaultsigner.errors import StateError
from vaultsigner.state import AccountKey, Count, HeldByOther, Rate, Reserved
from vaultsigner.state.postgres import PostgresState

KEY = AccountKey("chain", "address")
NOW = 1_700_000_000_000


@contextmanager
def encoded(server: PostgresServer, encoding: str) -> Iterator[str]:
    """A database of this encoding for as long as the block lasts: its URL."""
    name = f"encoded_{encoding.lower()}"
    server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    yield server.url(name)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sql_ascii(postgres: PostgresServer) -> Iterator[str]:
    with encoded(postgres, "SQL_ASCII") as url:
        yield url


async def test_a_database_without_an_encoding_is_opened_and_its_texts_are_texts(sql_ascii: str) -> None:
    async with PostgresState(sql_ascii) as state:
        await state.remember_account(KEY, 1, 5)
        assert isinstance(await state.reserve(KEY, "f", "a", now_ms=0, lease_ms=1_000), Reserved)
        other = await state.reserve(KEY, "f", "b", now_ms=0, lease_ms=1_000)
        assert isinstance(other, HeldByOther)
        rows = await state._read(lambda session: session.rows("SELECT owner, status FROM held", {}))
        assert rows == [("a", "reserved")]
        once = Count(rates=(Rate("log-in:Zoë Ж", 1, 60_000),))
        assert await state.count(once, now_ms=NOW) is None
        refused = await state.count(once, now_ms=NOW)
        assert refused is not None
        assert refused.why == "rate"


async def test_what_libpq_s_variable_says_of_the_encoding_does_not_count(
    sql_ascii: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    async with PostgresState(sql_ascii) as state:
        await state.remember_account(KEY, 1, 5)


async def test_a_database_whose_encoding_lacks_letters_is_refused_with_what_to_do(
    postgres: PostgresServer,
) -> None:
    refused = pytest.raises(StateError, match=r"encoding LATIN1.*createdb -E UTF8 -T template0")
    with encoded(postgres, "LATIN1") as url, refused:
        await PostgresState(url).__aenter__()
