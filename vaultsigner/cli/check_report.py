"""What `vaultsigner check` found, for people and for programs. Never holds a secret."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

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
    """How custody finds Vault. `address_note` says so where config.yml names another address."""

    address: str
    state: str
    token_ttl_seconds: int | None
    problem: str | None
    address_note: str | None = None


@dataclass(frozen=True, slots=True)
class TokenKeyFinding:
    """The Transit key that signs access tokens, and its versions."""

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
        nodes: None where they were not asked.
        state: None for an SQLite file, whose trouble is among the failures.
        partner: None where config.yml has no such section.
    """

    config: str
    users: int
    failures: tuple[str, ...]
    warnings: tuple[str, ...]
    policy: str
    vault: VaultFinding
    access_token_key: TokenKeyFinding
    wallets: tuple[WalletFinding, ...]
    nodes: tuple[NodeFinding, ...] | None
    clients: tuple[ClientFinding, ...] = ()
    state: StateFinding | None = None
    partner: PartnerFinding | None = None

    @property
    def ok(self) -> bool:
        """Whether the service could sign with every wallet, know every client and issue access tokens."""
        return all(mark != "FAIL" for mark, _ in self.lines())

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, **asdict(self)}

    def lines(self) -> Iterator[tuple[Mark, str]]:
        """For people: a mark and a line for each thing found."""
        wallets, clients = _counted(len(self.wallets), "wallet"), _counted(len(self.clients), "client")
        callers = _counted(self.users, "user") + (f", {clients}" if self.clients else "")
        callers += "" if self.partner else ", no partner"
        yield "ok", f"{self.config}: {wallets}, {callers}; policies {self.policy[:19]}"
        for failure in self.failures:
            yield "FAIL", failure
        for warning in self.warnings:
            yield "warn", warning
        if self.partner is not None:
            yield "ok", _partner(self.partner)
        if self.state is not None:
            good = f"state.url: {self.state.where}: {self.state.found}"
            yield _marked(self.state.problem, good, "state.url: ")
        what = f"Vault {self.vault.address}{self.vault.address_note or ''}: "
        yield _marked(self.vault.problem, f"{what}{_vault_state(self.vault)}", what)
        if self.vault.problem is None:
            yield from self._tried()
        else:
            tried = f"{wallets}, {clients}" if self.clients else wallets
            yield "-", f"{tried}, {self.access_token_key.reference}: {NOT_TRIED}"
        for node in self.nodes or ():
            good = f"node {node.node_url} ({node.environment}) serves {node.chain_id}"
            yield ("ok", good) if node.problem is None else ("warn", f"{node.environment}: {node.problem}")

    def _tried(self) -> Iterator[tuple[Mark, str]]:
        """What shows only once Vault answers."""
        key = self.access_token_key
        yield _marked(
            key.problem, f"{key.reference}: signs access tokens, newest version {(key.versions or '-')[-1]}"
        )
        for wallet in self.wallets:
            what = f"{wallet.name} ({wallet.environment}) "
            yield _marked(wallet.problem, f"{what}{wallet.address}\n        {wallet.reference}", what)
        for client in self.clients:
            what = f"{client.name} ({client.scheme}) "
            where = client.reference or f"{_key_place(client.key_file)}, {client.public_key}"
            yield _marked(client.problem, f"{what}{client.api_key}\n        {where}", what)


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
