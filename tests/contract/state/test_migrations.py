"""A database of an earlier version is brought to the newest with all that it holds."""

import pytest

from vaultsigner.state import AccountKey, Pending, Reserved, open_state, postgres_schema, sqlite_schema

NOW = 1_700_000_000_000
KEY = AccountKey("chain", "tbnb1sender")
PENDING_OF_OLD = """
INSERT INTO pending_operations (chain_id, account, operation, role, address, transaction_hash)
VALUES ('chain', 'tbnb1sender', 'transfer', 'recipient', 'tbnb1recipient', 'AB')
"""


async def test_what_was_pending_in_an_earlier_version_is_settled_by_this_one(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(sqlite_schema, "MIGRATIONS", sqlite_schema.MIGRATIONS[:2])
        older.setattr(postgres_schema, "MIGRATIONS", postgres_schema.MIGRATIONS[:1])
        async with open_state(url) as state:
            await state.remember_account(KEY, 1, 5)
            assert isinstance(await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1), Reserved)
            assert await state.mark_sent(KEY, "a", 5, b"tx", "AB", now_ms=NOW, lease_ms=1)
            await state._write(  # type: ignore[attr-defined]  # As the earlier version noted it.
                lambda session: session.execute(PENDING_OF_OLD, {})
            )
    async with open_state(url) as state:
        assert await state.pending("tbnb1recipient", 8) == (Pending("chain", "AB"),)
        await state.forget_expired(now_ms=NOW)
        assert await state.settle(KEY, "a", 5, 6, done=True)
        assert await state.performed("tbnb1recipient") == {("transfer", "recipient")}
        assert await state.pending("tbnb1recipient", 8) == ()
