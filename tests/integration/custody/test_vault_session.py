"""Custody's dealings about its own token, with a Vault that misbehaves: asked once, never again behind anybody's back."""

from pathlib import Path

import pytest

from tests.integration.custody.fake_vault import Conversation, answer, fake_vault
from tests.integration.custody.test_tls import Authority
from vaultsigner.config.vault_settings import AppRoleAuth, TokenFileAuth, VaultSettings
from vaultsigner.custody.vault.session import RefusedError, VaultSession
from vaultsigner.custody.vault.single_exchange import NoAnswerError
from vaultsigner.custody.vault_token.log_in_method import LogInError
from vaultsigner.custody.vault_token.secret_id_unwrapping import Unwrapping

LOOKED = b'{"data":{"creation_path":"auth/approle/role/desk/secret-id","creation_ttl":300}}'
WRAPPING = b"s.wrapping"


def session_of(address: str, ca_cert: Path | None = None) -> VaultSession:
    return VaultSession(VaultSettings(address, TokenFileAuth(Path("none")), ca_cert=ca_cert))


async def test_an_unwrapping_that_broke_off_is_not_repeated(tmp_path: Path) -> None:
    """Vault may have done it: the second time would look like somebody else's."""
    seen: list[bytes] = []

    async def script(vault: Conversation) -> None:
        seen.append((await vault.request()).partition(b" HTTP")[0])
        if b"lookup" in seen[-1]:
            await vault.send(answer(LOOKED))
        else:
            vault.reset()

    auth = AppRoleAuth("r", tmp_path / "secret-id", True, "desk", "approle")
    async with fake_vault(script, tmp_path) as vault:
        with pytest.raises(NoAnswerError):
            await Unwrapping(session_of(vault.address), auth, None).secret_id(bytearray(WRAPPING))
    assert seen == [b"POST /v1/sys/wrapping/lookup", b"POST /v1/sys/wrapping/unwrap"]


@pytest.mark.parametrize("status", [b"400 Bad Request", b"403 Forbidden", b"404 Not Found"])
async def test_a_token_that_is_taken_between_looking_and_unwrapping_is_an_alarm(
    tmp_path: Path, status: bytes
) -> None:
    async def script(vault: Conversation) -> None:
        asked = await vault.request()
        await vault.send(answer(LOOKED) if b"lookup" in asked else answer(b"{}", status))

    auth = AppRoleAuth("r", tmp_path / "secret-id", True, "desk", "approle")
    async with fake_vault(script, tmp_path) as vault:
        with pytest.raises(
            LogInError, match=r"ALARM: between looking .* somebody else unwrapped it"
        ) as caught:
            await Unwrapping(session_of(vault.address), auth, None).secret_id(bytearray(WRAPPING))
    assert WRAPPING.decode() not in str(caught.value)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (answer(b"{}", b"503 Service Unavailable"), "sealed or in standby"),
        (answer(b"{}", b"500 Internal Server Error"), "Vault answered 500"),
        (
            answer(b"{}", b"307 Temporary Redirect", b"Location: http://127.0.0.1:1/\r\n"),
            "Vault answered 307",
        ),
        (b"SSH-2.0-x\r\n\r\n", "does not begin with an HTTP"),
        (b"", "closed"),
    ],
)
async def test_trouble_is_no_refusal(tmp_path: Path, sent: bytes, reason: str) -> None:
    """A token is given up only when Vault itself says no."""

    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(sent)

    async with fake_vault(script, tmp_path) as vault:
        with pytest.raises(NoAnswerError, match=reason):
            await session_of(vault.address).look_up(bytearray(b"s.x"))


async def test_a_refusal_is_one(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer(b'{"errors":["permission denied"]}', b"403 Forbidden"))

    async with fake_vault(script, tmp_path) as vault:
        with pytest.raises(RefusedError) as caught:
            await session_of(vault.address).look_up(bytearray(b"s.x"))
    assert caught.value.status == 403


async def test_a_log_in_is_shown_to_the_right_vault_alone(tmp_path: Path) -> None:
    """Whoever has no certificate for the name gets not a byte of it."""
    seen: list[bytes] = []

    async def script(vault: Conversation) -> None:
        seen.append(await vault.request())

    authority = Authority(tmp_path, "vault.example")
    body = bytearray(b'{"role_id":"r","secret_id":"of-the-role"}')
    async with fake_vault(script, tmp_path, tls=authority.server) as vault:
        with pytest.raises(NoAnswerError, match="certificate is not accepted"):
            await session_of(vault.address, authority.certificate).log_in("auth/approle/login", body)
    assert not seen
