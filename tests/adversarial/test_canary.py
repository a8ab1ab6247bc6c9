"""Keys, the Vault token and passwords are looked for where they must never be, while 200 signatures are made and after."""

import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from mnemonic import Mnemonic

from tests.adversarial.desk import running_desk, transfer
from tests.adversarial.memory_search import (
    MemoryWatch,
    ProcessMemory,
    find_in,
    forms_of_key,
    forms_of_text,
    may_read_memory,
)
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import standing_still
from tests.world import World, cheap_hash
from vaultsigner.cli.key_material import new_mnemonic, new_private_key
from vaultsigner.custody.mnemonics import derive_scalar
from vaultsigner.dev.installation import EVERY_PERMISSION, PlannedUser, PlannedWallet

SIGNATURES = 200
CLIENTS = 4
FEWEST_LOOKS = 5
PAUSE_SECONDS = 0.05
CHECKING_SECONDS = 0.5
"""Well after the server has sent a password on: custody stands still for as long as it takes to look."""
HEX, WORDS, TRADER = "canary-hex", "canary-words", "canary-trader"

needs_to_look = pytest.mark.skipif(
    not may_read_memory(), reason="reading protected memory takes CAP_SYS_PTRACE"
)

HOLD = (
    "import sys; held = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); sys.stdin.buffer.read()"
)


@dataclass(frozen=True)
class Canaries:
    """Everything that must not be found, in all its forms."""

    keys: dict[str, bytes]
    passwords: dict[str, bytes]
    vault_token: dict[str, bytes]
    access_token: dict[str, bytes]

    @property
    def for_server(self) -> dict[str, bytes]:
        """What the server's memory must never hold. Access tokens pass through it."""
        return self.keys | self.passwords | self.vault_token

    @property
    def for_custody(self) -> dict[str, bytes]:
        """What custody's memory must not hold once it has nothing to do. Its Vault token is its own."""
        return self.keys | self.passwords

    @property
    def for_files(self) -> dict[str, bytes]:
        """What no log, record or answer may hold."""
        return self.for_server | self.access_token


@dataclass(frozen=True)
class Run:
    """What was seen while and after the signatures were made."""

    world: World
    canaries: Canaries
    watch: MemoryWatch
    statuses: list[int]
    answers: bytes


HEX_KEY, MNEMONIC = new_private_key(), new_mnemonic(12)
PASSWORD, WRONG, STRANGER = (f"{secrets.token_urlsafe(15)} {kind}" for kind in ("right", "wrong", "stranger"))
LOG_INS = (
    ("/api/auth/login", {"username": TRADER, "password": WRONG}),
    ("/api/auth/login", {"username": STRANGER, "password": STRANGER}),
    ("/api/auth/login", {"username": TRADER, "password": PASSWORD}),
    ("/api/auth/login", {"user": TRADER, "password": PASSWORD}),
    ("/api/auth/logon", {"username": TRADER, "password": PASSWORD}),
)


def canaries(world: World, access_token: str) -> Canaries:
    """The secrets of this run."""
    derived = derive_scalar(memoryview(MNEMONIC.text.encode()))
    words = {
        **forms_of_text("mnemonic", MNEMONIC.text),
        **forms_of_key("seed", Mnemonic.to_seed(MNEMONIC.text)),
        **forms_of_key("entropy", bytes(Mnemonic("english").to_entropy(MNEMONIC.text))),
    }
    passwords: dict[str, bytes] = {}
    for name, password in (("password", PASSWORD), ("wrong password", WRONG), ("stranger", STRANGER)):
        passwords |= forms_of_text(name, password)
    vault_token = (world.installation.directory / "vault-token").read_text().strip()
    return Canaries(
        keys=forms_of_key("hex key", bytes.fromhex(HEX_KEY.text))
        | forms_of_key("derived key", bytes(derived))
        | words,
        passwords=passwords,
        vault_token=forms_of_text("Vault token", vault_token),
        access_token=forms_of_text("access token", access_token.rpartition(".")[2]),
    )


def ask(world: World, token: str, look: threading.Lock, number: int) -> list[tuple[int, bytes]]:
    """One signature and, now and then, something that fails with secrets in it."""
    wallet, verb = (HEX, WORDS)[number % 2], ("sign", "broadcast")[number // 2 % 2]
    answers = [post(world, token, f"/api/transfer/{verb}", transfer(wallet, number + 1))]
    if number % 10 == 0:
        # A password is in the server while it is on its way to custody; nobody looks just then.
        with look:
            answers += [post(world, "", *log_in) for log_in in LOG_INS]
        answers += [
            post(world, token, "/api/transfer/sign", transfer(wallet, to_address=wallet, amount="-1")),
            post(world, token, "/api/order/broadcast", transfer(wallet)),
            post(world, token, "/api/vote/sign", {"wallet_name": "nobody"}),
            post(world, "nonsense", "/api/freeze/sign", transfer(wallet)),
        ]
    return answers


def post(world: World, token: str, path: str, body: object) -> tuple[int, bytes]:
    """Status and body of the answer, but not a token that was rightly given out."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = world.session.post(f"{world.url}{path}", json=body, headers=headers, timeout=PATIENCE_SECONDS)
    return response.status_code, b"" if response.ok and path.startswith("/api/auth") else response.content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Two hundred signatures by four clients at once, and the server's memory looked at as often as that takes."""
    trader = PlannedUser(
        TRADER, PASSWORD, dict.fromkeys((HEX, WORDS), EVERY_PERMISSION), cheap_hash(PASSWORD)
    )
    wallets = (PlannedWallet(HEX, HEX_KEY), PlannedWallet(WORDS, MNEMONIC))
    with running_desk(tmp_path_factory.mktemp("canary"), *wallets, users=(trader,)) as world:
        token = world.token(TRADER, PASSWORD)
        needles = canaries(world, token)
        watch = MemoryWatch(ProcessMemory(world.service.server_pid), needles.for_server | kept(world))
        if may_read_memory():
            watch.look()  # all of it, which takes a while; from now on only what changes
        looking = threading.Lock()

        def in_turn(number: int) -> list[tuple[int, bytes]]:
            """Not all of them are made while the first looks still go on."""
            if may_read_memory():
                wait_until(lambda: watch.looks > number * FEWEST_LOOKS // SIGNATURES, "so many looks")
            return ask(world, token, looking, number)

        with ThreadPoolExecutor(CLIENTS) as pool:
            asked = [pool.submit(in_turn, number) for number in range(SIGNATURES)]
            while not all(one.done() for one in asked):
                with looking:
                    if watch.looks:
                        watch.look()
                time.sleep(PAUSE_SECONDS)
        answers = [answer for one in asked for answer in one.result()]
        yield Run(
            world,
            needles,
            watch,
            [status for status, _ in answers],
            b"\n".join(body for _, body in answers),
        )


def kept(world: World) -> dict[str, bytes]:
    """What the server surely keeps: a search that does not find it proves nothing."""
    return {"kept": str(world.installation.audit_directory).encode()}


def test_the_run_made_two_hundred_signatures(run: Run) -> None:
    outcomes = [record for record in run.world.records() if record.get("signed_sha256")]
    assert (run.statuses.count(200) - SIGNATURES // 10, len(outcomes)) == (SIGNATURES, SIGNATURES)
    assert {record["operation"] for record in outcomes} == {"transfer.sign", "transfer.broadcast"}
    assert {record["wallet"] for record in outcomes} == {HEX, WORDS}
    assert set(run.statuses) == {200, 400, 403, 404, 422}


@needs_to_look
def test_the_servers_memory_never_held_a_secret(run: Run) -> None:
    assert run.watch.looks >= FEWEST_LOOKS
    assert run.watch.found == {"kept"}
    assert ProcessMemory(run.world.service.server_pid).find(run.canaries.for_server) == set()


@needs_to_look
def test_custodys_memory_holds_no_key_and_no_password_afterwards(run: Run) -> None:
    needles = run.canaries.for_custody | run.canaries.vault_token
    assert ProcessMemory(run.world.service.custody_pid).find(needles) == {"Vault token"}


def is_idle(pid: int) -> bool:
    """Whether the process takes no processor time for a moment."""

    def ticks() -> tuple[str, ...]:
        return tuple(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])

    before = ticks()
    time.sleep(PAUSE_SECONDS)
    return ticks() == before


@needs_to_look
def test_a_password_is_not_kept_while_custody_checks_it(run: Run) -> None:
    """Checking takes custody a fifth of a second and more when many wait: the server keeps nothing for that long."""
    world, password = run.world, secrets.token_urlsafe(24)
    body = {"username": TRADER, "password": password}
    with ThreadPoolExecutor(1) as pool:
        with standing_still(world.service.custody_pid):
            asked = pool.submit(post, world, "", "/api/auth/login", body)
            time.sleep(CHECKING_SECONDS)
            # A server that others keep from its work has not come as far as custody yet.
            wait_until(lambda: is_idle(world.service.server_pid), "the server has handed the password on")
            seen = b"".join(ProcessMemory(world.service.server_pid).regions().values())
            waiting = not asked.done()
        assert asked.result()[0] == 400
    assert waiting
    assert find_in(seen, forms_of_text("password", password)) == set()


@needs_to_look
def test_the_launchers_memory_holds_no_secret(run: Run) -> None:
    assert ProcessMemory(run.world.service.launcher_pid).find(run.canaries.for_server) == set()


def test_no_file_but_the_token_file_holds_a_secret(run: Run) -> None:
    found = {
        str(path): find_in(path.read_bytes(), run.canaries.for_files)
        for path in run.world.installation.directory.parent.rglob("*")
        if path.is_file()
    }
    directory = run.world.installation.directory
    audit_files = {path for path in found if path.startswith(str(directory / "audit"))}
    assert {str(run.world.service.log), str(directory / "config.yml")} <= found.keys()
    assert audit_files
    token_file = str(directory / "vault-token")
    assert {path: names for path, names in found.items() if names} == {token_file: {"Vault token"}}


def test_no_answer_holds_a_secret(run: Run) -> None:
    assert run.answers.count(b'"request_id"') == SIGNATURES // 10 * 8
    assert find_in(run.answers, run.canaries.for_files) == set()


@needs_to_look
@pytest.mark.parametrize("process", ["launcher_pid", "server_pid", "custody_pid"])
def test_no_environment_and_no_command_line_holds_a_secret(run: Run, process: str) -> None:
    proc = Path(f"/proc/{getattr(run.world.service, process)}")
    seen = (proc / "environ").read_bytes() + (proc / "cmdline").read_bytes()
    assert b"vaultsigner" in seen
    assert find_in(seen, run.canaries.for_files) == set()


@contextmanager
def holder(data: bytes) -> Iterator[int]:
    """A process that holds these bytes and does nothing."""
    arguments = [sys.executable, "-I", "-c", HOLD, str(len(data))]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(data)
        process.stdin.flush()
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


def test_the_search_finds_every_form_of_every_secret(run: Run) -> None:
    """Once all that was looked for is planted in a process, all of it is found; one that holds nothing shows nothing."""
    planted = run.canaries.for_files
    with holder(b"\0".join(planted.values())) as full, holder(b"nothing") as empty:
        assert ProcessMemory(full).find(planted) == planted.keys()
        assert ProcessMemory(empty).find(planted) == set()


@needs_to_look
def test_the_search_finds_a_secret_planted_in_the_server(run: Run) -> None:
    """A header is not wiped: what is planted there stays for a while, so an empty search means something."""
    planted = {"planted": secrets.token_hex(24).encode()}
    look = partial(ProcessMemory(run.world.service.server_pid).find, planted)
    assert look() == set()
    run.world.session.get(
        f"{run.world.url}/api/wallet",
        headers={"X-Planted": planted["planted"].decode()},
        timeout=PATIENCE_SECONDS,
    )
    assert look() == {"planted"}
