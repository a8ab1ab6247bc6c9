"""What users may do beside using wallets: nothing, unless their entry says so in the very words that there are."""

import pytest

from tests.unit.config.loading import HASH, Loading
from vaultsigner.config.settings import UserRole
from vaultsigner.domain.names import UserName

USER = f"users: [{{username: sam, password_hash: '{HASH}'"


@pytest.mark.parametrize(
    ("written", "roles"),
    [
        ("", set()),
        (", roles: []", set()),
        (", roles: [operator]", {"operator"}),
        (", roles: [auditor, operator, auditor]", {"auditor", "operator"}),
    ],
)
def test_roles_are_those_that_are_written(loading: Loading, written: str, roles: set[UserRole]) -> None:
    assert loading.settings(f"{USER}{written}}}]").users[UserName("sam")].roles == roles


@pytest.mark.parametrize(
    ("written", "path", "message", "hint"),
    [
        ("roles: [«operater]", "users[0].roles[0]", "there is no such role", "did you mean operator?"),
        ("roles: [«Operator]", "users[0].roles[0]", "there is no such role", "did you mean operator?"),
        ("roles: [auditor, «true]", "users[0].roles[1]", "must be text", "quotes"),
        ("roles: «operator", "users[0].roles", "must be a list", "dash"),
        ("«role: [operator]", "users[0].role", "not known", "did you mean roles?"),
    ],
)
def test_a_word_that_is_no_role_gives_none(
    loading: Loading, written: str, path: str, message: str, hint: str
) -> None:
    problem = loading.marked_problem(f"{USER}, {written}}}]")
    assert problem.where == path
    assert message in problem.message
    assert hint in problem.hint


def test_clients_have_no_roles(loading: Loading) -> None:
    text = "clients: [{name: b, api_key: k, scheme: hmac, secret: vault:secret/b#secret, «roles: [operator]}]"
    assert loading.marked_problem(text).where == "clients[0].roles"
