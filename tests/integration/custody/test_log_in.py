"""Passwords in, tokens out: signed by Vault Transit, checked with the public half alone."""

import asyncio
import hashlib
import json
import time
from pathlib import Path

import bcrypt
import pytest

from tests.integration.custody.conftest import CustodyWorld, custody_world
from tests.integration.custody.custody_process import connected
from tests.patience import PATIENCE_SECONDS
from tests.world import PASSWORD, USERNAME, Vector, wallet_name
from vaultsigner.authentication.access_tokens import AccessClaims, verify_access_token
from vaultsigner.authentication.passwords import credential_fingerprint
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.log_in import MOST_WAITING
from vaultsigner.custody.protocol import LogInAnswer, LogInRefused
from vaultsigner.dev.installation import PlannedUser
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError


def body(username: object, password: object) -> bytearray:
    return bytearray(json.dumps({"username": username, "password": password}).encode())


async def refused(client: CustodyClient, given: bytearray) -> Refusal:
    answer = await client.log_in(given)
    assert isinstance(answer, LogInRefused)
    return answer.refusal


async def test_a_right_password_is_worth_a_token(client: CustodyClient, shared_world: CustodyWorld) -> None:
    given = body(USERNAME, PASSWORD)
    answer = await client.log_in(given)
    assert not any(given), "the body is wiped"
    assert isinstance(answer, LogInAnswer)
    settings = shared_world.installation.settings
    claims = verify_access_token(answer.access_token, await client.access_token_keys(), time.time())
    assert isinstance(claims, AccessClaims)
    assert (answer.username, claims.username) == (USERNAME, USERNAME)
    assert claims.credential == credential_fingerprint(settings.users[answer.username].password_hash)
    assert abs(claims.expires_at - time.time() - settings.access_token_expiry_minutes * 60) < PATIENCE_SECONDS


async def test_tokens_differ_each_time(client: CustodyClient) -> None:
    answers = [await client.log_in(body(USERNAME, PASSWORD)) for _ in range(2)]
    assert len({answer.access_token for answer in answers if isinstance(answer, LogInAnswer)}) == 2


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (USERNAME, "wrong"),
        ("nobody", PASSWORD),
        (USERNAME.upper(), PASSWORD),
        (USERNAME, ""),
        ("", ""),
        (USERNAME, PASSWORD + "\0"),
    ],
)
async def test_all_wrong_credentials_look_alike(client: CustodyClient, username: str, password: str) -> None:
    given = body(username, password)
    refused = await client.log_in(given)
    assert not any(given)
    assert isinstance(refused, LogInRefused)
    answer = refused.refusal
    assert answer.code == "bad_credentials"
    assert answer.detail == '{"error": "Incorrect email or password"}'
    assert answer.reason in (f"wrong password for user {USERNAME}", "no user of that name")


async def test_a_bad_body_is_refused_with_the_old_words(client: CustodyClient) -> None:
    answer = await refused(client, bytearray(b"{"))
    assert (answer.code, answer.detail) == ("malformed_body", "There was an error parsing the body")
    answer = await refused(client, bytearray(b'{"username": "sam"}'))
    assert answer.detail == [
        {"loc": ["body", "login_details", "password"], "msg": "field required", "type": "value_error.missing"}
    ]


async def test_attempts_tell_the_limits_whose_they_are_and_nothing_of_what_a_stranger_typed(
    client: CustodyClient,
) -> None:
    """Sooner or later somebody types a password where the name belongs."""
    answers = [
        await client.log_in(body(*typed))
        for typed in ((USERNAME, "wrong"), (PASSWORD, "wrong"), (USERNAME, PASSWORD))
    ]
    buckets = [f"stranger:{hashlib.sha256(name.encode()).hexdigest()[:2]}" for name in (USERNAME, PASSWORD)]
    assert [(answer.subject, answer.bucket) for answer in answers] == [
        (f"user:{USERNAME}", buckets[0]),
        (None, buckets[1]),
        (f"user:{USERNAME}", buckets[0]),
    ]
    untried = await client.log_in(bytearray(b"{"))
    assert (untried.subject, untried.bucket) == (None, None)


async def test_an_unknown_user_costs_as_much_work_as_a_known_one(
    client: CustodyClient, shared_world: CustodyWorld
) -> None:
    """An answer without hashing would cost a tenth. What custody's threads work is counted, not how long they take."""
    spent = {USERNAME: 0, "nobody": 0}
    for username in (*spent, *(name for _ in range(8) for name in spent)):
        before = worked_ns(shared_world.custody.pid)
        await client.log_in(body(username, "wrong"))
        spent[username] += worked_ns(shared_world.custody.pid) - before
    assert 0.5 < spent["nobody"] / spent[USERNAME] < 2


def worked_ns(pid: int) -> int:
    """How long all threads of a process have been on a processor (sched-stats, in the kernel's documentation)."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))


async def test_a_flood_of_log_ins_is_turned_away_and_others_are_answered(client: CustodyClient) -> None:
    flood = [client.log_in(body(USERNAME, "wrong")) for _ in range(4 * MOST_WAITING)]
    gathered = asyncio.gather(*flood, client.health())
    *answers, health = await gathered
    assert health.vault == "ok"  # type: ignore[union-attr]  # the last one is the health
    codes = {answer.refusal.code for answer in answers if isinstance(answer, LogInRefused)}
    assert codes == {"bad_credentials", "rate_limited"}
    for answer in answers:
        assert isinstance(answer, LogInRefused)
        tried = answer.refusal.code == "bad_credentials"
        assert (answer.bucket is not None, answer.subject is not None) == (tried, tried)


async def test_a_rotated_key_signs_new_tokens_and_old_ones_stay_good(own_world: CustodyWorld) -> None:
    async with connected(own_world.custody.socket_path) as client:
        old = await client.log_in(body(USERNAME, PASSWORD))
        own_world.openbao.client.secrets.transit.rotate_key("access-tokens", mount_point="transit")
        new = await client.log_in(body(USERNAME, PASSWORD))
        keys = await client.access_token_keys()
        assert list(keys) == ["1", "2"]
        for answer in (old, new):
            assert isinstance(answer, LogInAnswer)
            assert isinstance(verify_access_token(answer.access_token, keys, time.time()), AccessClaims)
        assert isinstance(new, LogInAnswer)
        assert (
            verify_access_token(new.access_token, {"1": keys["1"]}, time.time())
            == "signed with an unknown key"
        )


async def test_without_vault_a_right_password_is_an_error_and_a_wrong_one_a_refusal(
    own_world: CustodyWorld,
) -> None:
    async with connected(own_world.custody.socket_path) as client:
        await asyncio.to_thread(own_world.openbao.seal)
        assert isinstance(await client.log_in(body(USERNAME, "wrong")), LogInRefused)
        with pytest.raises(CustodyError) as caught:
            await client.log_in(body(USERNAME, PASSWORD))
        assert caught.value.code == "vault_sealed"


async def test_a_token_key_of_another_type_is_told(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector]
) -> None:
    with custody_world(own_openbao, tmp_path, vectors[:1]) as world:
        transit = own_openbao.client.secrets.transit
        transit.update_key_configuration("access-tokens", deletion_allowed=True, mount_point="transit")
        transit.delete_key("access-tokens", mount_point="transit")
        transit.create_key("access-tokens", key_type="rsa-2048", mount_point="transit")
        async with connected(world.custody.socket_path) as client:
            for question in (client.access_token_keys(), client.log_in(body(USERNAME, PASSWORD))):
                with pytest.raises(CustodyError, match="not an ed25519 key") as caught:
                    await question
                assert caught.value.code == "key_malformed"


async def test_old_bcrypt_hashes_log_in_too(
    own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector]
) -> None:
    password_hash = bcrypt.hashpw(b"pa55", bcrypt.gensalt(10)).decode()
    old = PlannedUser("old", "pa55", {wallet_name(vectors[0]): ("trade",)}, password_hash)
    with custody_world(own_openbao, tmp_path, vectors[:1], users=(old,)) as world:
        async with connected(world.custody.socket_path) as client:
            assert isinstance(await client.log_in(body("old", "pa55")), LogInAnswer)
            assert isinstance(await client.log_in(body("old", "pa56")), LogInRefused)
