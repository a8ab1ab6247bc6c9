"""`vaultsigner vault setup` for the methods by which custody logs in itself, and `vaultsigner check` with them."""

import stat
from collections.abc import Callable

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.integration.custody.log_ins import client_certificate
from tests.unit.config.keys_at_hand import ed25519_pem

ALLOW = "version: 1\nrules:\n  - {id: all, effect: allow}\n"
SetUp = Callable[..., Outcome]


@pytest.fixture
def set_up(configured: Program, bao: Bao) -> SetUp:
    """Writes section `vault.auth`, and runs `vault setup`; without the log-in methods of earlier tests."""
    for mount in ("approle", "kubernetes", "jwt", "cert"):
        bao.hvac().sys.disable_auth_method(mount)
    config = configured.home / "config" / "config.yml"

    def run(auth: str, *arguments: str) -> Outcome:
        rest = config.read_text().partition("\n")[2]
        config.write_text(f'vault: {{address: "{bao.address}", auth: {{{auth}}}}}\n{rest}')
        return configured.run("vault", "setup", *arguments)

    return run


APPROLE = "method: approle, role_id: desk-1, secret_id_file: run/secret-id"


def role(bao: Bao, path: str) -> dict[str, object]:
    return dict(bao.admin().read(f"auth/{path}") or {})


def test_an_approle_and_a_wrapped_secret_id(set_up: SetUp, configured: Program, bao: Bao) -> None:
    done = set_up(APPROLE, "--bound-cidr", "127.0.0.0/8", "--wrapped-secret-id-out", "run/secret-id")
    assert done.status == 0, done.err
    assert 'path "auth/token/revoke-self"' in done.out
    made = role(bao, "approle/role/vaultsigner")
    assert (made["token_policies"], made["token_no_default_policy"]) == (["vaultsigner"], True)
    assert (made["token_period"], made["token_bound_cidrs"]) == (259_200, ["127.0.0.0/8"])
    assert made["secret_id_bound_cidrs"] == ["127.0.0.0/8"]
    assert role(bao, "approle/role/vaultsigner/role-id")["role_id"] == "desk-1"
    file = configured.home / "run" / "secret-id"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    wrapping_token = file.read_text()
    assert wrapping_token not in done.out + done.err
    looked = bao.admin().write("sys/wrapping/lookup", {"token": wrapping_token})
    assert (looked["creation_path"], looked["creation_ttl"]) == (
        "auth/approle/role/vaultsigner/secret-id",
        300,
    )


def test_once_more_nothing_changes_and_a_difference_is_named(set_up: SetUp, bao: Bao) -> None:
    assert set_up(APPROLE, "--bound-cidr", "10.0.0.0/8").status == 0
    again = set_up(APPROLE)
    assert again.status == 0
    assert "changed" not in again.out
    assert "vaultsigner vault setup --wrapped-secret-id-out run/secret-id" in again.out
    assert role(bao, "approle/role/vaultsigner")["token_bound_cidrs"] == ["10.0.0.0/8"], "left as it was"
    bao.admin().write("auth/approle/role/vaultsigner", {"token_policies": ["vaultsigner", "more"]})
    repaired = set_up(APPROLE)
    assert "changed the role auth/approle/role/vaultsigner: token_policies" in repaired.out
    assert role(bao, "approle/role/vaultsigner")["token_policies"] == ["vaultsigner"]


def test_check_leaves_a_wrapped_secret_id_wrapped(set_up: SetUp, configured: Program, bao: Bao) -> None:
    assert set_up(APPROLE, "--wrapped-secret-id-out", "run/secret-id").status == 0
    (configured.home / "policies").mkdir()
    (configured.home / "policies" / "desk.yml").write_text(ALLOW)
    done = configured.run("check", "--offline")
    assert done.status == 0, done.out + done.err
    assert "its unwrapping is left to `vaultsigner serve`" in done.out
    assert "not tried" in done.out
    assert "cannot log in" not in done.out, "nothing failed"
    wrapping_token = (configured.home / "run" / "secret-id").read_text()
    assert bao.hvac().sys.unwrap(wrapping_token)["data"]["secret_id"]
    done = configured.run("check", "--offline")
    assert done.status == 1
    assert "somebody else unwrapped it" in done.out


def test_check_logs_in_with_a_plain_secret_id(set_up: SetUp, configured: Program, bao: Bao) -> None:
    assert set_up(f"{APPROLE}, wrapped: false").status == 0
    (configured.home / "policies").mkdir()
    (configured.home / "policies" / "desk.yml").write_text(ALLOW)
    assert "there is no secret id in run/secret-id" in configured.run("check", "--offline").out
    secret_id = bao.hvac().auth.approle.generate_secret_id("vaultsigner")["data"]["secret_id"]
    (configured.home / "run").mkdir()
    (configured.home / "run" / "secret-id").write_text(secret_id)
    done = configured.run("check", "--offline")
    assert "ok, custody's token lives 72 h unless renewed" in done.out
    assert "transit:transit/access-tokens: signs access tokens" in done.out
    assert secret_id not in done.out + done.err


@pytest.mark.parametrize(
    ("auth", "arguments", "reason"),
    [
        (APPROLE, ("--token-out", "run/token"), "logs in by approle and reads no token"),
        (f"{APPROLE}, wrapped: false", ("--wrapped-secret-id-out", "x"), "vault.auth.wrapped is false"),
        ("method: kubernetes", ("--wrapped-secret-id-out", "x"), "only an approle has secret ids"),
        ("method: kubernetes", ("--service-account", "a/x"), "auth/kubernetes/config is empty"),
        ("method: kubernetes", ("--kubernetes-host", "https://k:6443"), "who may log in as"),
        (
            "method: kubernetes",
            ("--kubernetes-host", "https://k:6443", "--service-account", "a/x", "--service-account", "b/y"),
            "would let in more than the service accounts named",
        ),
        (
            "method: jwt, token_file: jwt",
            ("--bound-subject", "x"),
            "--jwt-public-key or --oidc-discovery-url",
        ),
        (APPROLE, ("--period", "soon"), "is no duration"),
        (
            "method: jwt, token_file: jwt, mount: approle-of-others",
            (),
            "auth/approle-of-others/ is the method approle",
        ),
    ],
)
def test_what_cannot_be_set_up_is_one_line(
    set_up: SetUp, bao: Bao, auth: str, arguments: tuple[str, ...], reason: str
) -> None:
    if "of-others" in auth:
        bao.hvac().sys.enable_auth_method("approle", path="approle-of-others")
    done = set_up(auth, *arguments)
    assert done.status == 1
    assert reason in done.err
    assert len(done.err.splitlines()) == 1


def test_a_role_for_service_accounts(set_up: SetUp, configured: Program, bao: Bao) -> None:
    authority, _ = client_certificate(configured.home)
    where = ("--kubernetes-host", "https://127.0.0.1:6443", "--kubernetes-ca-cert", str(authority))
    arguments = (*where, "--service-account", "trading/vaultsigner")
    first = set_up("method: kubernetes", *arguments, "--bound-audience", "vault")
    assert first.status == 0, first.err
    made = role(bao, "kubernetes/role/vaultsigner")
    assert made["bound_service_account_names"] == ["vaultsigner"]
    assert made["bound_service_account_namespaces"] == ["trading"]
    assert made["audience"] == "vault"
    assert "changed" not in set_up("method: kubernetes", *arguments).out


def test_a_role_for_jwts(set_up: SetUp, configured: Program, bao: Bao) -> None:
    (configured.home / "issuer.pem").write_text(ed25519_pem())
    arguments = (
        "--jwt-public-key",
        "issuer.pem",
        "--bound-subject",
        "desk-1",
        "--bound-claim",
        "project=desk/trading",
    )
    auth = "method: jwt, token_file: run/jwt, role: desk"
    first = set_up(auth, *arguments)
    assert first.status == 0, first.err
    made = role(bao, "jwt/role/desk")
    assert (made["bound_subject"], made["bound_claims"]) == ("desk-1", {"project": "desk/trading"})
    assert made["token_policies"] == ["vaultsigner"]
    assert "changed" not in set_up(auth, *arguments).out
    assert "changed" not in set_up(auth).out, "what no option names stays as it is"


def test_aws_needs_a_vault_that_has_it(set_up: SetUp) -> None:
    done = set_up("method: aws", "--iam-principal", "arn:aws:iam::123456789012:role/x")
    assert done.status == 1
    assert "aws" in done.err
    assert "Traceback" not in done.err
