"""The desks of the pipeline on a real state and a real record, without HTTP and without custody."""

import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from tests.unit.config.loading import HASH
from vaultsigner import config
from vaultsigner.audit import open_recorder
from vaultsigner.config.settings import Settings
from vaultsigner.dev.records import Record, read_records
from vaultsigner.domain.decisions import Approvals as Wanted
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ClientName, JsonValue, Operation, RequestId, UserName
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target, TargetKind
from vaultsigner.policy import PolicySet
from vaultsigner.server.statuses import status_of
from vaultsigner.signing.approvals import Approvals
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Call
from vaultsigner.signing.explaining import Explaining
from vaultsigner.signing.journal import Journal
from vaultsigner.signing.requests import Request
from vaultsigner.signing.suspensions import Suspensions, SuspensionWatch, operators
from vaultsigner.signing.trail import Trail
from vaultsigner.state import State, open_state

CONFIG = f"""
wallets:
  - {{name: hot, private_key: "vault:secret/wallets/hot#private_key", env_name: TESTNET, permissions: [transfer, trade]}}
  - {{name: cold, private_key: "vault:secret/wallets/cold#private_key", env_name: TESTNET, permissions: [transfer]}}
users:
  - username: sam
    password_hash: "{HASH}"
    wallet_permissions: [{{wallet_name: hot, permissions: [transfer]}}]
  - {{username: ann, password_hash: "{HASH}"}}
  - {{username: bob, password_hash: "{HASH}"}}
  - {{username: eve, password_hash: "{HASH}", roles: [auditor]}}
  - {{username: olga, password_hash: "{HASH}", roles: [operator]}}
clients:
  - name: bot-1
    api_key: vs_1
    scheme: hmac
    secret: vault:secret/clients/bot-1#secret
    wallet_permissions: [{{wallet_name: hot, permissions: [transfer]}}]
"""
NOW_MS = 1_790_000_000_000
PAYMENT: dict[str, JsonValue] = {
    "to_address": "tbnb1w508d6qejxtdg4y5r3zarvary0c5xw7kkvpjw8",
    "symbol": "BNB",
    "amount": "250.00000000",
}
POLICIES = PolicySet("sha256:aa", ())
TRANSFER = Intent(Operation("transfer.broadcast"), "wallet:hot", (PAYMENT,), "invoice 42")
TWO_OF_THREE = Wanted(2, ("user:ann", "user:bob", "user:eve"), 3600)
_numbers = itertools.count()


@dataclass
class TestClock:
    """Stands still until a test moves it."""

    __test__ = False
    now_ms: int = NOW_MS

    def seconds(self) -> float:
        return self.now_ms / 1000

    def milliseconds(self) -> int:
        return self.now_ms

    def monotonic(self) -> float:
        return self.now_ms / 1000


@dataclass
class Desks:
    """What a test asks, and the state and the record behind it."""

    settings: Settings
    state: State
    journal: Journal
    clock: TestClock
    watch: SuspensionWatch
    suspensions: Suspensions
    approvals: Approvals
    explaining: Explaining
    directory: Path
    decision: Decision = field(
        default_factory=lambda: Decision("allow", "large", "sha256:aa", "rule large allows", (), TWO_OF_THREE)
    )

    def caller(self, who: str) -> Caller:
        """`user:sam`, proved."""
        kind, _, name = who.partition(":")
        if kind == "client":
            client = self.settings.clients[ClientName(name)]
            return Caller(Principal("client", name, client.scheme), client)
        return Caller(Principal("user", name), self.settings.users[UserName(name)])

    def trail(
        self,
        who: str,
        document: object = None,
        *,
        approval: str | None = None,
        policies: PolicySet = POLICIES,
    ) -> Trail:
        """A request of somebody's."""
        body = b"" if document is None else json.dumps(document).encode()
        call = Call(
            RequestId(f"r{next(_numbers)}"),
            ip_address("10.0.0.7"),
            TRANSFER.operation,
            body=body,
            approval=approval,
        )
        return Trail(call, policies, principal=self.caller(who).principal)

    def request(self, who: str, intent: Intent = TRANSFER, *, approval: str | None = None) -> Request:
        """A decoded request; the message itself does not matter here."""
        trail = self.trail(who, approval=approval)
        trail.operation = intent.operation
        kind, _, name = intent.target.partition(":")
        return Request(trail, self.caller(who), intent, Target(cast(TargetKind, kind), name))

    def records(self, event: str) -> list[Record]:
        """The details of the control records of an event; the chain is checked on the way."""
        found = read_records(self.directory / "audit")
        return [each["details"] for each in found if each.get("event") == event]


@asynccontextmanager
async def open_desks(directory: Path, configuration: str = CONFIG) -> AsyncIterator[Desks]:
    """Desks on a record and a state of their own."""
    (directory / "config.yml").write_text(configuration)
    settings = config.load(directory / "config.yml", {})
    clock = TestClock()
    async with (
        open_recorder(directory / "audit") as recorder,
        open_state(f"sqlite:///{directory}/state/state.db") as state,
    ):
        journal = Journal(recorder, status_of)
        watch = SuspensionWatch(state, clock, operators(settings))
        await watch.refresh()
        yield Desks(
            settings,
            state,
            journal,
            clock,
            watch,
            Suspensions(state, watch, journal, clock, settings),
            Approvals(state, journal, clock),
            Explaining(settings, clock),
            directory,
        )
