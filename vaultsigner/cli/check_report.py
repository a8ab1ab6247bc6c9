"""What `vaultsigner check` found, for people and for programs. Never holds a secret."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from vaultsigner.cli import anchor_findings, exchange_clocks
from vaultsigner.cli.anchor_findings import AnchorFinding
from vaultsigner.cli.exchange_clocks import ExchangeHostFinding

Mark = Literal["ok", "warn", "FAIL", "-"]
NOT_TRIED = "not tried"
"""The problem of what depends on Vault, where Vault itself has one."""


@dataclass(frozen=True, slots=True)
class WalletFinding:
    """One wallet's reference, tried. `address` and `public_key` are of the key that Vault holds; `problem` where there is one."""

    name: str
    environment: str
    reference: str
    address: str | None = None
    public_key: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ClientFinding:
    """One client.

    Args:
        reference: where its secret lies; None where its public key counts, which needs no trying.
        public_key: that key's fingerprint.
        key_file: where the key was read from; None where the configuration holds it.
    """

    name: str
    scheme: str
    api_key: str
    reference: str | None = None
    problem: str | None = None
    public_key: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class ExchangeFinding:
    """One exchange account.

    Args:
        reference: where its secret lies.
        exportable: it lies in Transit, which would give it out.
        public_key, key_file: as in `ClientFinding`.
    """

    name: str
    scheme: str
    base_url: str
    api_key: str
    reference: str
    problem: str | None = None
    exportable: bool = False
    public_key: str | None = None
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class OpenApiFinding:
    """One Open API app, and where its secrets lie."""

    name: str
    app_id: str
    base_url: str
    access_key_id: str
    references: tuple[str, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PartnerFinding:
    """The section `partner`. `tasks` are names with what completes them; `key_file` as in `ClientFinding`."""

    url_prefix: str
    tasks: Mapping[str, str]
    key_bits: int
    public_key: str
    key_file: str | None = None


@dataclass(frozen=True, slots=True)
class StateFinding:
    """A PostgreSQL database, tried as opening it would. `where` says which, without a password, and `problem` says so itself."""

    where: str
    found: str = "connected"
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class VaultFinding:
    """How custody finds Vault.

    Args:
        address_note: says so where config.yml names another address.
        left: why nothing was tried there, though nothing is wrong.
    """

    address: str
    state: str
    token_ttl_seconds: int | None
    problem: str | None
    address_note: str | None = None
    left: str | None = None

    @property
    def usable(self) -> bool:
        """Whether secrets can be tried."""
        return self.problem is None and self.left is None


@dataclass(frozen=True, slots=True)
class OwnKeyFinding:
    """A Transit key that signs for the service itself, and its versions; of the one for checkpoints, their ids in signatures."""

    reference: str
    versions: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """A chain node. Trouble there is a warning: signing needs no node, broadcasting does."""

    environment: str
    node_url: str
    chain_id: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything found.

    Args:
        failures: what stops the service, or leaves open what a rule should forbid, apart from Vault and the wallets.
        warnings: what works and should be looked at.
        nodes, exchange_hosts: None where they were not asked.
        state: None for an SQLite file, whose trouble is among the failures.
        partner: None where config.yml has no such section.
    """

    config: str
    users: int
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    policy: str
    vault: VaultFinding
    access_token_key: OwnKeyFinding
    checkpoint_key: OwnKeyFinding | None
    wallets: tuple[WalletFinding, ...]
    nodes: tuple[NodeFinding, ...] | None
    clients: tuple[ClientFinding, ...] = ()
    state: StateFinding | None = None
    partner: PartnerFinding | None = None
    exchanges: tuple[ExchangeFinding, ...] = ()
    open_api: tuple[OpenApiFinding, ...] = ()
    exchange_hosts: tuple[ExchangeHostFinding, ...] | None = None
    anchors: tuple[AnchorFinding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the service could sign with every wallet and for every exchange, know every client and issue access tokens."""
        return all(mark != "FAIL" for mark, _ in self.lines())

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> Iterator[tuple[Mark, str]]:
        """For people: a mark and a line for each thing found."""
        yield "ok", f"{self.config}: {self._counted()}; policies {self.policy[:19]}"
        for failure in self.failures:
            yield "FAIL", failure
        for warning in self.warnings:
            yield "warn", warning
        if self.partner is not None:
            yield "ok", _partner(self.partner)
        if self.state is not None:
            good = f"state.url: {self.state.where}: {self.state.found}"
            yield _marked(self.state.problem, good, "state.url: ")
        for anchor in self.anchors:
            yield from anchor_findings.told(anchor)
        what = f"Vault {self.vault.address}{self.vault.address_note or ''}: "
        if self.vault.left is None:
            yield _marked(self.vault.problem, f"{what}{_vault_state(self.vault)}", what)
        else:
            yield "warn", f"{what}{self.vault.left}"
        if self.vault.usable:
            yield from self._tried()
        else:
            keys = [key.reference for key in (self.access_token_key, self.checkpoint_key) if key is not None]
            yield "-", f"{', '.join([*self._counted_secrets(), *keys])}: {NOT_TRIED}"
        for node in self.nodes or ():
            good = f"node {node.node_url} ({node.environment}) serves {node.chain_id}"
            yield ("ok", good) if node.problem is None else ("warn", f"{node.environment}: {node.problem}")
        yield from map(exchange_clocks.told, self.exchange_hosts or ())

    def _counted(self) -> str:
        secrets = self._counted_secrets()
        counted = [secrets[0], _counted(self.users, "user"), *secrets[1:]]
        return ", ".join([*counted, *([] if self.partner else ["no partner"])])

    def _counted_secrets(self) -> list[str]:
        """What needs Vault. Wallets come first, and are counted where there are none, too."""
        others = (
            (self.clients, "client"),
            (self.exchanges, "exchange"),
            (self.open_api, "Open API app"),
        )
        return [
            _counted(len(self.wallets), "wallet"),
            *(_counted(len(found), what) for found, what in others if found),
        ]

    def _tried(self) -> Iterator[tuple[Mark, str]]:
        """What shows only once Vault answers."""
        yield _own_key(self.access_token_key, "signs access tokens, newest version")
        if self.checkpoint_key is not None:
            yield _own_key(self.checkpoint_key, "signs checkpoints of the record, newest key")
        for wallet in self.wallets:
            what = f"{wallet.name} ({wallet.environment}) "
            yield _marked(wallet.problem, f"{what}{wallet.address}\n        {wallet.reference}", what)
        for client in self.clients:
            what = f"{client.name} ({client.scheme}) "
            where = client.reference or f"{_key_place(client.key_file)}, {client.public_key}"
            yield _marked(client.problem, f"{what}{client.api_key}\n        {where}", what)
        for exchange in self.exchanges:
            yield from _exchange(exchange)
        for app in self.open_api:
            what = f"Open API app {app.name} "
            where = "\n        ".join((app.base_url, *app.references))
            yield _marked(app.problem, f"{what}({app.app_id}) {app.access_key_id}\n        {where}", what)


def _own_key(key: OwnKeyFinding, what: str) -> tuple[Mark, str]:
    return _marked(key.problem, f"{key.reference}: {what} {(key.versions or '-')[-1]}")


def _exchange(exchange: ExchangeFinding) -> Iterator[tuple[Mark, str]]:
    what = f"exchange {exchange.name} ({exchange.scheme}) "
    where = f"{exchange.base_url}\n        {exchange.reference}"
    if exchange.public_key is not None:
        where += f"\n        {_key_place(exchange.key_file)}, {exchange.public_key}"
    yield _marked(exchange.problem, f"{what}{exchange.api_key}\n        {where}", what)
    if exchange.exportable:
        yield (
            "warn",
            f"{exchange.reference}: whoever may administer Vault can export this secret, for ever; have the exchange make "
            f"another, and bring it to another place: vaultsigner exchanges import",
        )


def _partner(partner: PartnerFinding) -> str:
    tasks = ", ".join(f"{name} ({what})" for name, what in partner.tasks.items()) or "none"
    key = f"RSA, {partner.key_bits} bits, {_key_place(partner.key_file)}, {partner.public_key}"
    return f"partner under {partner.url_prefix}: tasks: {tasks}\n        {key}"


def _key_place(file: str | None) -> str:
    return "public key in the configuration" if file is None else f"public key in {file}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _marked(problem: str | None, good: str, what: str = "") -> tuple[Mark, str]:
    return ("ok", good) if problem is None else ("FAIL", f"{what}{problem}")


def _vault_state(vault: VaultFinding) -> str:
    if vault.token_ttl_seconds is None:
        return vault.state
    return f"{vault.state}, custody's token lives {_lifetime(vault.token_ttl_seconds)} unless renewed"


def _lifetime(seconds: int) -> str:
    """In the unit that people think in: a 72 h token is one a minute later too."""
    return f"{round(seconds / 3600)} h" if seconds >= 7200 else f"{round(seconds / 60)} min"
