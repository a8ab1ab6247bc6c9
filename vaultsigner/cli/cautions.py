"""What a configuration that can be used should still be looked at for. Pure."""

from collections.abc import Iterator

from vaultsigner.config.addresses import is_loopback
from vaultsigner.config.password_hashes import is_guessable
from vaultsigner.config.public_keys import CLIENT_RSA_BITS
from vaultsigner.config.settings import AuditSettings, Client, Settings, User
from vaultsigner.config.state_urls import is_postgresql, postgresql_cautions
from vaultsigner.domain.names import Operation
from vaultsigner.policy import PolicySet, Rule, unknown_names
from vaultsigner.policy.operations import NAMED_ONLY, OPERATIONS
from vaultsigner.policy.rules import NamePatterns

_OF_WALLETS = frozenset(each for each in OPERATIONS if not each.startswith(("exchange.", "open_api.")))
_OF_EXCHANGES = frozenset(each for each in OPERATIONS if each.startswith("exchange.")) - NAMED_ONLY
"""Those that somebody may open to everybody by a star alone."""


def cautions(settings: Settings, policies: PolicySet) -> Iterator[str]:
    """One line for each, the most telling first."""
    if not settings.users and not settings.clients:
        yield (
            "there are no users and no clients: nobody can ask for anything; `vaultsigner users hash-password` prints a "
            "line for a user, `vaultsigner clients create` the lines for a client"
        )
    if not settings.wallets and not settings.exchanges and not settings.open_api:
        yield "there are no wallets: nothing can be signed; `vaultsigner keys create NAME` prints the lines for one"
    listen = settings.server.listen
    if not is_loopback(listen.host):
        yield f"server.listen {listen}: plain HTTP, passwords included, leaves this machine; put a TLS terminator in front"
    if is_postgresql(settings.state_url):
        yield from postgresql_cautions(settings.state_url)
    if settings.partner is not None and settings.partner.key_bits < CLIENT_RSA_BITS:
        yield (
            f"partner.public_key: this RSA key has {settings.partner.key_bits} bits, which can be broken with enough money; "
            f"ask the partner for one of {CLIENT_RSA_BITS} or more"
        )
    for client in settings.clients.values():
        if settings.partner is not None and client.public_key == settings.partner.public_key:
            yield f"{client.name}: its public key is the partner's, too: what is signed for one place can be shown at the other"
    yield from _about_certificates(settings)
    yield from _used_by_nobody(settings)
    yield from _without_anything(settings, policies)
    yield from _about_rules(settings, policies)
    yield from _permissions_without_effect(settings)
    yield from _about_anchors(settings.audit)
    for user in settings.users.values():
        if is_guessable(user.password_hash):
            yield (
                f"{user.username}: this password hash was made with little work; renew it: vaultsigner users hash-password"
            )


def _about_certificates(settings: Settings) -> Iterator[str]:
    callers: list[User | Client] = [*settings.users.values(), *settings.clients.values()]
    if not settings.server.trusted_proxies and any(caller.certificates for caller in callers):
        yield (
            "server.trusted_proxies: there are none, so nobody can show a certificate, and whoever has `certificates` is "
            "always refused; name the proxy that speaks TLS, e.g. [127.0.0.1/32]"
        )


def _about_anchors(audit: AuditSettings) -> Iterator[str]:
    if audit.checkpoint_key is not None and not audit.anchors:
        yield (
            "audit.anchors: there are none: whoever can change the record's files can cut off its end, or put an older copy "
            "back, and nothing shows; have checkpoints kept in a second place as well"
        )
    if audit.checkpoint_key is None:
        yield (
            "audit.checkpoint_key: there is none: nothing signs the record, and whoever can change its files can write it "
            "anew; add `checkpoint_key: transit:transit/audit-checkpoints` and run `vaultsigner vault setup`"
        )
    if audit.accepted_rollbacks:
        yield (
            f"audit.accepted_rollbacks: {', '.join(sorted(audit.accepted_rollbacks))}: something of the record was lost "
            "there, and was accepted by whoever wrote this"
        )


def _used_by_nobody(settings: Settings) -> Iterator[str]:
    callers: list[User | Client] = [*settings.users.values(), *settings.clients.values()]
    exchanges = {name for caller in callers for name in caller.exchanges}
    apps = {name for caller in callers for name in caller.open_api}
    for what, section, unused in (
        ("exchange", "exchanges", [name for name in settings.exchanges if name not in exchanges]),
        ("Open API app", "open_api", [name for name in settings.open_api if name not in apps]),
    ):
        for name in unused:
            yield f"{what} {name}: nobody may use it; write `{section}: [{name}]` under a client or a user"


def _without_anything(settings: Settings, policies: PolicySet) -> Iterator[str]:
    """Callers that config.yml gives nothing, no role and no vote: whoever wrote them has not finished."""
    voters = frozenset[str]().union(*(rule.approvals.of for rule in policies.rules if rule.approvals))
    callers: list[User | Client] = [*settings.users.values(), *settings.clients.values()]
    for caller in callers:
        kind, name = ("user", caller.username) if isinstance(caller, User) else ("client", caller.name)
        given = any(caller.wallet_permissions.values()) or caller.exchanges or caller.open_api
        role = isinstance(caller, User) and caller.roles
        if not given and not role and f"{kind}:{name}" not in voters:
            yield (
                f"{kind} {name} may use nothing at all: give it wallet_permissions, exchanges or open_api in "
                f"{settings.source}, or take it out"
            )


def _about_rules(settings: Settings, policies: PolicySet) -> Iterator[str]:
    for name in unknown_names(policies, settings):
        if not name.opens:
            yield name.text
    wallets = _open_to_all(policies, _OF_WALLETS, "wallet") if settings.wallets else None
    if wallets is not None:
        yield (
            f"policies: {wallets} everything to everybody: the permissions in {settings.source} alone "
            "decide, and limits and deny rules; replace it by rules that say who, with which wallet, may do what"
        )
    exchanges = _open_to_all(policies, _OF_EXCHANGES, "exchange") if settings.exchanges else None
    if exchanges is not None:
        yield (
            f"policies: {exchanges} every order to everybody who may use an exchange, whatever other allow rules ask: "
            "replace it by rules that say who, at which exchange, may do what"
        )


def _open_to_all(policies: PolicySet, operations: frozenset[Operation], kind: str) -> str | None:
    """Where, and by which rules, everybody may have all these operations; None where something is asked for some of them."""
    rules = [rule for rule in policies.rules if asks_nothing(rule, kind) and rule.operations & operations]
    if not frozenset().union(*(rule.operations for rule in rules)).issuperset(operations):
        return None
    where = f"{rules[0].place}: " if rules[0].place else ""
    named = " and ".join(rule.id for rule in rules)
    return f"{where}rule {named} allows" if len(rules) == 1 else f"{where}rules {named} allow"


def asks_nothing(rule: Rule, kind: str) -> bool:
    """Whether everybody may have what the rule speaks of, with every target of a kind and in all circumstances."""
    return (
        rule.effect == "allow"
        and not rule.conditions
        and rule.approvals is None
        and _all_of(rule.principals, "user", "client")
        and _all_of(rule.targets, kind)
    )


def _all_of(patterns: NamePatterns, *kinds: str) -> bool:
    return patterns.everything or patterns.kinds.issuperset(kinds)


def _permissions_without_effect(settings: Settings) -> Iterator[str]:
    """What a caller is given and the wallet itself lacks: whoever wrote it expects more than there is."""
    callers: list[User | Client] = [*settings.users.values(), *settings.clients.values()]
    for caller in callers:
        who = f"user {caller.username}" if isinstance(caller, User) else f"client {caller.name}"
        for name, given in caller.wallet_permissions.items():
            missing = sorted(given - settings.wallets[name].permissions)
            if missing:
                yield (
                    f"{who}: {', '.join(missing)} on {name} has no effect: the wallet's own permissions lack it; "
                    "add it there, or remove it here"
                )
