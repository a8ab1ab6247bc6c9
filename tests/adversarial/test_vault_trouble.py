"""Vault in trouble, seen over HTTP: 503 with a code that says which, a record, no signature, and recovery without a restart."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.adversarial.desk import PREFIX, numbers, private_key_wallet, running_desk, transfer
from tests.patience import wait_until
from tests.standstill import standing_still
from tests.world import PASSWORD, USERNAME, Answer, World
from vaultsigner.cli.key_material import KeyMaterial, new_mnemonic, new_private_key
from vaultsigner.cli.key_store import look_up, store
from vaultsigner.cli.token_file import make_token_file
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.cli.vault_policy import least_policy
from vaultsigner.dev.installation import TOKEN_PERIOD, PlannedWallet
from vaultsigner.dev.openbao import OpenBao

POLL_SECONDS = 0.1
SHORT_SECONDS = 15
"""Renewed after two thirds of it: a slow machine has five seconds left for that."""
WATCHED_KEY = new_private_key()
DESK, WORDS, FRESH = (
    private_key_wallet("desk"),
    PlannedWallet("words", new_mnemonic(24)),
    private_key_wallet("fresh"),
)
WATCHED = PlannedWallet(
    "watched", WATCHED_KEY, address_in_config=PlannedWallet("watched", WATCHED_KEY).address(PREFIX)
)
WALLETS = (DESK, WORDS, FRESH, WATCHED)
GROUP_ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service over a Vault that survives a restart. Nobody has used the wallet `fresh`: its public key is not known yet."""
    with running_desk(tmp_path_factory.mktemp("trouble"), *WALLETS, durable_vault=True) as running:
        for wallet in ("desk", "words", "watched"):
            assert running.post("/api/transfer/sign", transfer(wallet)).status == 200
        yield running


@pytest.fixture(autouse=True)
def recovers(world: World) -> Iterator[None]:
    """After each test, once Vault is well again, so is the service: the same two processes sign and broadcast."""
    yield
    for each in WALLETS:
        put_back(world, each)
    pids = (world.service.server_pid, world.service.custody_pid)
    wait_until(lambda: world.post("/api/transfer/sign", transfer("desk")).status == 200, "signatures")
    for wallet in ("desk", "words", "watched"):
        assert world.post("/api/transfer/broadcast", transfer(wallet)).status == 200
    wait_until(world.service.is_ready, "readiness")
    assert (world.service.server_pid, world.service.custody_pid) == pids


def operator(world: World) -> OperatorVault:
    """Somebody who may do everything in Vault."""
    return OperatorVault(world.openbao.address, world.openbao.root_token)


def put_back(world: World, wallet: PlannedWallet, material: KeyMaterial | None = None) -> None:
    """The wallet's key as it was imported, or another one, with its public key noted beside it."""
    vault = operator(world)
    store(vault, wallet.reference, material or wallet.material, replacing=look_up(vault, wallet.reference))


def write_value(world: World, wallet: PlannedWallet, **fields: object) -> None:
    """Overwrite what is read of the secret; what is noted beside it stays."""
    vault = operator(world)
    version = look_up(vault, wallet.reference).version
    vault.write(f"secret/data/wallets/{wallet.name}", {"options": {"cas": version}, "data": fields})


def assert_trouble(
    world: World, code: str, *wallets: str, verbs: tuple[str, ...] = ("sign", "broadcast")
) -> None:
    """Both routes say so, on the record; nothing is signed, nothing sent, no number taken."""
    before = numbers(world)
    received = len(world.node.chain.received)
    for wallet in wallets or ("desk",):
        for verb in verbs:
            assert_failed(world, world.post(f"/api/transfer/{verb}", transfer(wallet)), code, wallet)
    assert numbers(world) == before
    assert len(world.node.chain.received) == received


def assert_failed(world: World, answer: Answer, code: str, wallet: str) -> None:
    """The error shape, and a record that says how it ended without a signature."""
    assert (answer.status, answer.body["code"]) == (503, code), answer
    assert answer.body.keys() == {"code", "message", "detail", "request_id"}
    assert answer.body["request_id"] == answer.request_id
    assert "Retry-After" in answer.headers
    *intents, outcome = world.records(answer.request_id)
    assert {record["kind"] for record in intents} <= {"intent"}
    assert (outcome["kind"], outcome["status"], outcome["code"]) == ("outcome", 503, code)
    assert outcome["wallet"] == wallet
    assert outcome["signed_sha256"] is outcome["transaction_hash"] is None


@contextmanager
def stopped(openbao: OpenBao) -> Iterator[None]:
    """An outage."""
    openbao.stop()
    try:
        yield
    finally:
        openbao.start()


@contextmanager
def sealed(openbao: OpenBao) -> Iterator[None]:
    """Closed."""
    openbao.seal()
    try:
        yield
    finally:
        openbao.unseal()


@contextmanager
def silent(openbao: OpenBao) -> Iterator[None]:
    """It takes connections and never answers."""
    assert openbao.pid is not None
    with standing_still(openbao.pid):
        yield


def test_a_vault_that_is_down_is_503(world: World) -> None:
    with stopped(world.openbao):
        assert_trouble(world, "vault_unavailable", "desk", "words", "fresh")
        assert not world.service.is_ready()
        log_in = {"username": USERNAME, "password": PASSWORD}
        answer = world.ask("POST", "/api/auth/login", log_in, token=None)
        assert (answer.status, answer.body["code"]) == (503, "vault_unavailable")
        assert_failed(world, world.get("/api/wallet/fresh"), "vault_unavailable", "fresh")
        assert world.get("/api/wallet/desk").status == 200  # what is public and known needs no Vault


def test_a_sealed_vault_is_503(world: World) -> None:
    with sealed(world.openbao):
        assert_trouble(world, "vault_sealed", "desk", "words", "fresh")
        assert not world.service.is_ready()


def test_a_vault_that_never_answers_is_503_in_bounded_time(world: World) -> None:
    with silent(world.openbao):
        assert_trouble(world, "vault_unavailable", verbs=("broadcast",))


def make_token(world: World) -> None:
    """What `vaultsigner vault setup` does: a fresh file takes the old one's place."""
    make_token_file(
        operator(world),
        world.installation.directory / "vault-token",
        period=TOKEN_PERIOD,
        read_token=Path.read_text,
        as_holder=lambda token: OperatorVault(world.openbao.address, token),
    )


def make_token_in_place(world: World) -> None:
    """What an editor or a shell does: the same file gets other bytes."""
    path = world.installation.directory / "vault-token"
    with path.open("r+b") as kept:
        make_token(world)
        token = path.read_bytes()
        kept.truncate()
        kept.write(token + b"\n")


@pytest.mark.parametrize("renew", [make_token, make_token_in_place])
def test_a_revoked_token_is_503_until_there_is_another(world: World, renew: Callable[[World], None]) -> None:
    path = world.installation.directory / "vault-token"
    world.openbao.revoke_token(path.read_text().strip())
    try:
        assert_trouble(world, "vault_denied", "desk", "words", "fresh")
    finally:
        renew(world)


def test_a_revoked_token_shows_in_readiness_as_soon_as_it_has_been_refused(world: World) -> None:
    """Custody would look the token up again only when it is time to renew it, hours from now."""
    world.openbao.revoke_token((world.installation.directory / "vault-token").read_text().strip())
    try:
        assert_trouble(world, "vault_denied")
        wait_until(lambda: not world.service.is_ready(), "readiness tells of it")
    finally:
        make_token(world)


def test_refusals_do_not_put_off_the_renewal_of_a_token(world: World) -> None:
    """One wallet's path is not in the token's policy; the others' signatures must go on past the end of its first life."""
    path = world.installation.directory / "vault-token"
    kept = path.read_text()
    rules = least_policy(world.installation.settings).replace(
        "secret/data/wallets/desk", "secret/data/elsewhere"
    )
    path.write_text(world.openbao.create_token(rules, name="narrow", ttl=f"{SHORT_SECONDS}s"))
    try:
        wait_until(
            lambda: world.post("/api/transfer/sign", transfer("desk")).status == 503, "the token is in use"
        )
        ends = time.monotonic() + SHORT_SECONDS + 0.5
        while time.monotonic() < ends:
            answer = world.post("/api/transfer/sign", transfer("desk"))
            assert_failed(world, answer, "vault_denied", "desk")
            assert world.post("/api/transfer/sign", transfer("words")).status == 200
            time.sleep(POLL_SECONDS)
        assert world.service.is_ready()
    finally:
        path.write_text(kept)


def test_an_empty_token_file_is_no_token(world: World) -> None:
    path = world.installation.directory / "vault-token"
    world.openbao.revoke_token(path.read_text().strip())
    try:
        path.write_text("")
        assert_trouble(world, "vault_denied")
        path.unlink()
        assert_trouble(world, "vault_denied")
        # The key to check it with is known: a stranger does not learn of the trouble.
        assert world.ask("GET", "/api/wallet", None, token="not.a.token").status == 403
    finally:
        path.unlink(missing_ok=True)
        make_token(world)


def test_a_missing_path_is_503(world: World) -> None:
    for wallet in (DESK, WORDS, FRESH):
        world.openbao.delete_secret(f"wallets/{wallet.name}")
    assert_trouble(world, "key_missing", "desk", "words", "fresh")
    assert world.post("/api/transfer/sign", transfer("watched")).status == 200


def test_a_deleted_version_is_503(world: World) -> None:
    world.openbao.client.secrets.kv.v2.delete_latest_version_of_secret("wallets/desk", mount_point="secret")
    assert_trouble(world, "key_missing")


def test_a_missing_field_is_503(world: World) -> None:
    for fields in ({}, {"mnemonic": WORDS.material.text}, {"Private_key": DESK.material.text}):
        write_value(world, DESK, **fields)
        assert_trouble(world, "key_missing")


MALFORMED_KEYS: tuple[object, ...] = (
    *("", "zz" * 32, DESK.material.text[:-1], DESK.material.text + "0", f"0x{DESK.material.text}"),
    *(f" {DESK.material.text}", f"{DESK.material.text}\n", "0" * 64, GROUP_ORDER, "f" * 64, "ü" * 32),
    *(WORDS.material.text, int(DESK.material.text, 16), None, True, [DESK.material.text], {"hex": "00" * 32}),
)
MALFORMED_MNEMONICS: tuple[object, ...] = (
    *("", "abandon", "abandon " * 12, "zoo " * 11 + "zoo", WORDS.material.text.upper()),
    *(WORDS.material.text.replace(" ", "  "), f"{WORDS.material.text} ", "é" * 30, DESK.material.text, 12),
)


def test_a_malformed_key_is_503(world: World) -> None:
    for value in MALFORMED_KEYS:
        write_value(world, DESK, private_key=value)
        assert_trouble(world, "key_malformed")


def test_a_malformed_mnemonic_is_503(world: World) -> None:
    for words in MALFORMED_MNEMONICS:
        write_value(world, WORDS, mnemonic=words)
        assert_trouble(world, "key_malformed", "words")


def test_another_key_than_the_one_noted_at_import_is_503(world: World) -> None:
    write_value(world, DESK, private_key=new_private_key().text)
    write_value(world, FRESH, private_key=new_private_key().text)
    write_value(world, WORDS, mnemonic=new_mnemonic(24).text)
    assert_trouble(world, "wrong_key", "desk", "words", "fresh")


def test_another_key_with_a_forged_note_is_503_where_the_address_is_in_the_configuration(
    world: World,
) -> None:
    put_back(world, WATCHED, new_private_key())
    assert_trouble(world, "wrong_key", "watched")


def test_another_key_with_a_forged_note_is_503_once_the_old_one_has_been_used(world: World) -> None:
    """Nobody but the server can notice: custody keeps nothing of what it has seen."""
    put_back(world, DESK, new_private_key())
    before = len(world.records())
    assert_trouble(world, "wrong_key")
    outcomes = [each for each in world.records()[before:] if each["kind"] == "outcome"]
    assert outcomes
    assert all(each["vault_request_id"] for each in outcomes), "the key was read, though nothing came of it"


def test_starting_without_vault_waits_for_it(world: World) -> None:
    token = world.token()
    world.service.stop()
    with stopped(world.openbao):
        world.service.launch()
        wait_until(lambda: asked(world, "/api/wallet", None) == 401, "somebody listens")
        assert not world.service.is_ready()
        assert asked(world, "/api/wallet", token) == 503
        assert asked(world, "/api/wallet", "nonsense") in (403, 503)
    wait_until(world.service.is_ready, "readiness")


def test_starting_without_a_token_waits_for_one(world: World) -> None:
    path = world.installation.directory / "vault-token"
    token = path.read_text()
    world.service.stop()
    path.unlink()
    world.service.launch()
    wait_until(lambda: asked(world, "/api/wallet", None) == 401, "somebody listens")
    assert asked(world, "/api/wallet", world.token()) == 503
    assert not world.service.is_ready()
    path.write_text(token)
    wait_until(world.service.is_ready, "readiness")


def asked(world: World, path: str, token: str | None) -> int:
    """The status, 0 where nobody listens yet."""
    try:
        return world.ask("GET", path, None, token=token).status
    except OSError:
        return 0


def test_a_missing_token_key_is_503_for_log_ins_alone(world: World) -> None:
    # The last test: nobody has a token that is signed with the key which is there afterwards.
    client = world.openbao.client
    client.secrets.transit.update_key_configuration("access-tokens", deletion_allowed=True)
    client.secrets.transit.delete_key("access-tokens")
    answer = world.ask("POST", "/api/auth/login", {"username": USERNAME, "password": PASSWORD}, token=None)
    assert (answer.status, answer.body["code"]) == (503, "key_missing")
    assert world.post("/api/transfer/sign", transfer("desk")).status == 200
    world.openbao.create_transit_keys("access-tokens")
