"""A token leads to a user of the configuration, or to one answer that tells strangers nothing."""

import asyncio
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.patience import PATIENCE_SECONDS
from vaultsigner.authentication.access_tokens import AccessClaims
from vaultsigner.authentication.bearer import (
    KEY_REFRESH_SECONDS,
    REMEMBERED_TOKENS,
    TokenChecker,
    bearer_token,
)
from vaultsigner.authentication.passwords import credential_fingerprint
from vaultsigner.authentication.token_minting import finish_token, issue_signing_input
from vaultsigner.config.settings import User
from vaultsigner.domain.names import UserName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError

HASH = "$argon2id$test"
SAM = User(UserName("sam"), HASH, {})
OLD_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
NEW_KEY = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
START = 1_795_000_000


class Desk:
    """A checker whose clock and keys a test can turn."""

    def __init__(self) -> None:
        self.now = 0.0
        self.keys: dict[str, bytes] = {"1": OLD_KEY.public_key().public_bytes_raw()}
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.checker = TokenChecker(
            {SAM.username: SAM}, self.ask, seconds=lambda: START + self.now, monotonic=lambda: self.now
        )

    async def ask(self) -> Mapping[str, bytes]:
        self.asked += 1
        await self.answers.wait()
        if not self.keys:
            raise CustodyError("vault_unavailable", "Vault cannot be used")
        return dict(self.keys)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def token(
    *,
    key: Ed25519PrivateKey = OLD_KEY,
    key_id: str = "1",
    username: str = "sam",
    password_hash: str = HASH,
    token_id: str = "t",
) -> str:
    """Good for ten minutes from the start."""
    signing_input = issue_signing_input(
        username=username,
        credential=credential_fingerprint(password_hash),
        key_id=key_id,
        token_id=token_id,
        issued_at=START,
        expiry_minutes=10,
    )
    return finish_token(signing_input, key.sign(signing_input))


def reason(answer: User | Refusal) -> str | None:
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.detail) == ("invalid_token", "Could not validate credentials")
    return answer.reason


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer abc", "abc"),
        ("bEaReR   abc ", "abc"),
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
    ],
)
def test_the_token_is_read_from_the_header(header: str | None, found: str | None) -> None:
    assert bearer_token(header) == found


async def test_a_good_token_is_its_users_and_keys_are_asked_for_once(desk: Desk) -> None:
    for _ in range(3):
        assert await desk.checker.user(token()) is SAM
    assert desk.asked == 1


async def test_a_remembered_token_still_expires(desk: Desk) -> None:
    assert await desk.checker.user(token()) is SAM
    desk.now = 600.0
    assert reason(await desk.checker.user(token())) == "the token has expired"


async def test_a_rotated_key_is_asked_for(desk: Desk) -> None:
    assert await desk.checker.user(token()) is SAM
    desk.keys["2"] = NEW_KEY.public_key().public_bytes_raw()
    desk.now = KEY_REFRESH_SECONDS + 0.1
    assert await desk.checker.user(token(key=NEW_KEY, key_id="2")) is SAM
    assert desk.asked == 2


async def test_bad_tokens_do_not_keep_vault_busy(desk: Desk) -> None:
    for number in range(50):
        reason(await desk.checker.user(token(key=NEW_KEY, token_id=str(number))))
    assert desk.asked == 1
    desk.now = KEY_REFRESH_SECONDS + 0.1
    for number in range(50):
        reason(await desk.checker.user(token(key=NEW_KEY, token_id=str(number))))
    assert desk.asked == 2


async def test_a_bad_token_stays_one_when_vault_is_down_and_does_not_keep_it_busy(desk: Desk) -> None:
    """Its keys are known: what a stranger sends must not show that Vault is in trouble."""
    assert await desk.checker.user(token()) is SAM
    desk.keys.clear()
    desk.now = KEY_REFRESH_SECONDS + 0.1
    for number in range(50):
        reason(await desk.checker.user(token(key=NEW_KEY, token_id=str(number))))
    assert (desk.asked, await desk.checker.user(token())) == (2, SAM)


async def all_at_once(desk: Desk, *tokens: str) -> list[User | Refusal | BaseException]:
    """Ask with all of them while the keys are still on their way."""
    desk.answers.clear()
    asking = [asyncio.ensure_future(desk.checker.user(each)) for each in tokens]
    await asyncio.sleep(0.01)
    desk.answers.set()
    return await asyncio.gather(*asking, return_exceptions=True)


@pytest.mark.parametrize("vault_is_up", [True, False])
async def test_a_thousand_bad_tokens_at_once_ask_vault_one_question(desk: Desk, vault_is_up: bool) -> None:
    bad = [token(key=NEW_KEY, token_id=str(number)) for number in range(1000)]
    for answer in await all_at_once(desk, *bad):
        assert isinstance(answer, Refusal)
    assert desk.asked == 1, "the very first question"
    desk.now = KEY_REFRESH_SECONDS + 0.1
    if not vault_is_up:
        desk.keys.clear()
    for answer in await all_at_once(desk, *bad):
        assert isinstance(answer, Refusal)
    assert desk.asked == 2


async def test_a_token_of_a_rotated_key_waits_for_the_question_that_a_bad_token_caused(desk: Desk) -> None:
    assert await desk.checker.user(token()) is SAM
    desk.keys["2"] = NEW_KEY.public_key().public_bytes_raw()
    desk.now = KEY_REFRESH_SECONDS + 0.1
    answers = await all_at_once(desk, "bad", token(key=NEW_KEY, key_id="2"))
    assert answers[1] is SAM
    assert desk.asked == 2


async def test_a_good_token_does_not_wait_for_the_question_that_a_bad_token_caused(desk: Desk) -> None:
    assert await desk.checker.user(token()) is SAM
    desk.now = KEY_REFRESH_SECONDS + 0.1
    desk.answers.clear()
    bad = asyncio.ensure_future(desk.checker.user("bad"))
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await desk.checker.user(token(token_id="another")) is SAM
    desk.answers.set()
    reason(await bad)


async def test_a_caller_that_hangs_up_takes_nothing_from_the_others(desk: Desk) -> None:
    desk.answers.clear()
    first, second = (asyncio.ensure_future(desk.checker.user(token(token_id=each))) for each in "ab")
    await asyncio.sleep(0.01)
    first.cancel()
    desk.answers.set()
    assert await second is SAM
    assert desk.asked == 1


async def test_without_any_keys_nobody_can_be_told_apart(desk: Desk) -> None:
    desk.keys.clear()
    for _ in range(2):
        with pytest.raises(CustodyError):
            await desk.checker.user(token())


async def test_a_user_who_is_gone_has_no_token(desk: Desk) -> None:
    assert "not in the configuration" in (reason(await desk.checker.user(token(username="eve"))) or "")


async def test_a_token_dies_with_the_password_it_was_issued_for(desk: Desk) -> None:
    assert "has changed" in (reason(await desk.checker.user(token(password_hash="$argon2id$old"))) or "")


async def test_memory_for_tokens_is_bounded(desk: Desk) -> None:
    claims = AccessClaims("sam", START + 600, "c", "t")
    for number in range(REMEMBERED_TOKENS + 10):
        desk.checker._remember(number.to_bytes(32), claims)
    assert len(desk.checker._verified) == REMEMBERED_TOKENS


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "\ud800", "é" * 10])
async def test_anything_may_stand_in_the_header(desk: Desk, text: str) -> None:
    assert reason(await desk.checker.user(text)) in ("not a token", "malformed token")
