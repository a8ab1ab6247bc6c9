"""`certificates` of clients and users: fingerprints, at least one, and never taken for keys."""

import pytest

from tests.unit.config.loading import Loading
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.domain.names import ClientName, UserName

DIGEST = "sha256:" + "0f" * 32
OTHER = "sha256:" + "E1" * 32
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXRoaW5nc2FsdHk$K6GqE3M6n6n1iKpIhuZxG4cqMYlfVYqXHPnGxiKfqk8"


def configured(certificates: str) -> str:
    return (
        "clients:\n"
        "  - {name: bot-1, api_key: vs_1, scheme: hmac, secret: 'vault:secret/clients/bot-1#secret',"
        f" certificates: {certificates}}}\n"
        f"users:\n  - {{username: sam, password_hash: '{HASH}', certificates: {certificates}}}\n"
    )


def test_they_are_read_in_either_case(loading: Loading) -> None:
    settings = loading.settings(configured(f"['{DIGEST}', '{OTHER}']"))
    expected = {DIGEST, OTHER.lower()}
    assert settings.clients[ClientName("bot-1")].certificates == expected
    assert settings.users[UserName("sam")].certificates == expected


def test_without_them_none_is_wanted(loading: Loading) -> None:
    text = configured("[]").replace(", certificates: []", "")
    settings = loading.settings(text)
    assert settings.clients[ClientName("bot-1")].certificates == frozenset()


@pytest.mark.parametrize(
    "certificates",
    [
        "[]",  # would ask for none, where somebody meant to ask for one
        "null",
        f"'{DIGEST}'",
        f"['{DIGEST[7:]}']",
        f"['sha1:{'0f' * 20}']",
        f"['{DIGEST}0']",
        f"['{DIGEST[:-1]}']",
        f"[' {DIGEST}']",
        f"['{DIGEST.upper()}']",
        f"['sha256:{':'.join(['0F'] * 32)}']",
        "['*']",
        "[12]",
    ],
)
def test_anything_else_is_refused(loading: Loading, certificates: str) -> None:
    places = [problem.where for problem in loading.problems(configured(certificates))]
    assert any(place.startswith("clients[0].certificates") for place in places), places
    assert any(place.startswith("users[0].certificates") for place in places), places


def test_only_what_says_so_is_a_fingerprint() -> None:
    digits = "0f" * 32
    assert kind_of_secret(f"sha256:{digits}") is None
    for text in (digits, f"0x{digits}", f"sha256 {digits}", f"sha256:0x{digits}", f"md5:{digits}"):
        assert kind_of_secret(text) == "a private key", text
