"""Section `vault.auth` of config.yml: how custody logs in to Vault."""

from pathlib import Path

import pytest

from tests.unit.config.loading import Loading
from vaultsigner.config.vault_settings import (
    AppRoleAuth,
    AwsAuth,
    CertAuth,
    JwtAuth,
    TokenFileAuth,
    VaultAuth,
)

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

METHODS: list[tuple[str, VaultAuth]] = [
    ("", TokenFileAuth(Path("/run/vault/token"))),
    ("path: sink", TokenFileAuth(Path("sink"))),
    (
        "method: approle, role_id: desk-1, secret_id_file: sid",
        AppRoleAuth("desk-1", Path("sid"), True, "vaultsigner", "approle"),
    ),
    (
        "method: approle, role_id: desk-1, secret_id_file: sid, wrapped: false, role: r, mount: a/b/",
        AppRoleAuth("desk-1", Path("sid"), False, "r", "a/b"),
    ),
    ("method: kubernetes", JwtAuth("vaultsigner", SERVICE_ACCOUNT, "kubernetes", "kubernetes")),
    ("method: kubernetes, role: r, token_file: t", JwtAuth("r", Path("t"), "kubernetes", "kubernetes")),
    ("method: jwt, token_file: t, mount: ci", JwtAuth("vaultsigner", Path("t"), "ci", "jwt")),
    ("method: aws", AwsAuth("vaultsigner", "aws")),
    (
        "method: aws, role: r, region: eu-west-1, server_id: vault.example, sts_endpoint: 'https://sts.example/'",
        AwsAuth("r", "aws", "eu-west-1", "vault.example", "https://sts.example"),
    ),
]


@pytest.mark.parametrize(("members", "expected"), METHODS, ids=range(len(METHODS)))
def test_every_method_is_read(loading: Loading, members: str, expected: VaultAuth) -> None:
    found = loading.settings(f"vault: {{auth: {{{members}}}}}").vault.auth
    assert found == expected
    assert found.method == expected.method


def test_a_certificate_is_shown_over_tls_alone(loading: Loading) -> None:
    text = "vault: {{address: '{}://vault.example:8200', auth: {{method: cert, certificate: c, private_key: k}}}}"
    auth = loading.settings(text.format("https")).vault.auth
    assert auth == CertAuth(Path("c"), Path("k"), "vaultsigner", "cert")
    (problem,) = loading.problems(text.format("http").replace("vault.example", "127.0.0.1"))
    assert (problem.where, "only be shown over TLS" in problem.message) == ("vault.auth.method", True)


@pytest.mark.parametrize("method", ["approle", "jwt", "cert"])
def test_what_a_method_needs_must_be_there(loading: Loading, method: str) -> None:
    address = "https://vault.example:8200"
    problems = loading.problems(f"vault: {{address: '{address}', auth: {{method: {method}}}}}")
    assert problems
    assert all("is missing" in problem.message for problem in problems)
    assert all("add `" in problem.hint for problem in problems)


@pytest.mark.parametrize(
    ("method", "member"),
    [
        ("token_file", "role_id: r"),
        ("token_file", "role: r"),
        ("kubernetes", "path: p"),
        ("kubernetes", "secret_id_file: s"),
        ("kubernetes", "wrapped: false"),
        ("aws", "token_file: t"),
        ("aws", "certificate: c"),
    ],
)
def test_what_another_method_has_is_refused(loading: Loading, method: str, member: str) -> None:
    (problem,) = loading.problems(f"vault: {{auth: {{method: {method}, {member}}}}}")
    assert problem.where == f"vault.auth.{member.partition(':')[0]}"
    assert f"the method {method} has no such setting" in problem.message
    assert "choose a method that has" in problem.hint


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("mount: ../sys", "no mount"),
        ("mount: a//b", "no mount"),
        ("mount: auth?x", "no mount"),
        ("role: 'a/b'", "no role"),
        ("role: .", "no role"),
        ('server_id: "a b"', "no server id"),
        ("sts_endpoint: http://sts.example", "http to another machine"),
        ("sts_endpoint: https://sts.example/path", "no path"),
        ("region: EU", "no region"),
    ],
)
def test_values_that_would_lead_elsewhere_are_refused(loading: Loading, member: str, message: str) -> None:
    (problem,) = loading.problems(f"vault: {{auth: {{method: aws, {member}}}}}")
    assert message in problem.message


def test_a_secret_id_in_the_file_is_told_where_it_belongs(loading: Loading) -> None:
    secret_id = "84896a0c-1347-aa90-a4f6-aca8b7558780"
    text = f"vault: {{auth: {{method: approle, role_id: r, secret_id_file: f, secret_id: {secret_id}}}}}"
    (problem,) = loading.problems(text)
    assert "a file of its own" in problem.hint
    assert secret_id not in f"{problem}"


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_aws_keys_in_the_environment_are_refused(loading: Loading, variable: str) -> None:
    environ = {variable: "of-value"}
    (problem,) = loading.problems("vault: {auth: {method: aws}}", environ)
    assert variable in f"{problem}"
    assert "of-value" not in f"{problem}"
    assert loading.settings("vault: {auth: {method: kubernetes}}", environ).vault.auth.method == "kubernetes"
