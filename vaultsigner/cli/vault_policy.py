"""The least Vault policy that custody can work with, as text. Pure."""

import re
from collections.abc import Iterator

from vaultsigner.cli.held_secrets import OF_CLIENT, Place, held_secrets, kv_references, place_of
from vaultsigner.config.settings import Exchange, KvReference, Settings, TransitReference
from vaultsigner.errors import VaultsignerError

POLICY_NAME = "vaultsigner"
# `*` at the end and `+` as a segment are wildcards in a policy path, so a path that holds them cannot be granted alone;
# quotes, backslashes, braces and `$` would end or change the HCL string.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._@:=~,/ -]+")


class PolicyTextError(VaultsignerError):
    """A path that cannot be written into a policy and mean itself alone."""

    code = "bad_configuration"


def least_policy(settings: Settings) -> str:
    """What the custody process needs for this configuration, and nothing else.

    Raises:
        PolicyTextError: a path holds a character that a policy would read as a pattern.
    """
    blocks = ["# Written by `vaultsigner vault setup`: what the custody process needs, and nothing else."]
    blocks += [_rule(*rule) for rule in _rules(settings)]
    return "\n\n".join(blocks) + "\n"


def transit_keys(settings: Settings) -> tuple[TransitReference, ...]:
    """The Transit keys that `vault setup` makes, each for one purpose. Ed25519, not exportable."""
    return tuple(_own_keys(settings))


def imported_keys(settings: Settings) -> dict[TransitReference, list[Exchange]]:
    """The Transit keys that people import, with the exchanges that they sign for."""
    found: dict[TransitReference, list[Exchange]] = {}
    for exchange in settings.exchanges.values():
        if isinstance(exchange.secret, TransitReference):
            found.setdefault(exchange.secret, []).append(exchange)
    return found


def _own_keys(settings: Settings) -> dict[TransitReference, str]:
    """What signs for the service itself, and what."""
    keys = {settings.access_token_key: "sign access tokens"}
    if settings.audit.checkpoint_key is not None:
        keys[settings.audit.checkpoint_key] = "sign checkpoints of the record"
    return keys


def _rules(settings: Settings) -> Iterator[tuple[str, str, str]]:
    holders = _holders(settings)
    for reference in kv_references(settings):
        held = (f"{what} {', '.join(names)}" for what, names in holders[place_of(reference)].items())
        yield f"{reference.mount}/data/{reference.path}", "read", "; ".join(held)
        if any(what != OF_CLIENT for what in holders[place_of(reference)]):
            yield (
                f"{reference.mount}/subkeys/{reference.path}",
                "read",
                "whether it is there, without its value",
            )
    for key, purpose in _own_keys(settings).items():
        yield f"{key.mount}/sign/{key.key}", "update", purpose
        yield f"{key.mount}/keys/{key.key}", "read", "the public half of that key"
    for key, exchanges in imported_keys(settings).items():
        named = ", ".join(exchange.name for exchange in exchanges)
        for path in sorted({_signing_path(key, exchange) for exchange in exchanges}):
            yield path, "update", f"sign requests to exchange {named}"
        yield f"{key.mount}/keys/{key.key}", "read", "that key's type and public half"
    # The token carries no `default` policy: its templated paths would be evaluated on every read.
    yield "auth/token/renew-self", "update", "keep the token alive"
    yield "auth/token/lookup-self", "read", "know when to renew it"
    if settings.vault.token_path is None:
        yield "auth/token/revoke-self", "update", "end it with the service, which logs in for one of its own"


def _signing_path(key: TransitReference, exchange: Exchange) -> str:
    """Of Transit's endpoints the one that makes this scheme's signatures, with the digest in the path where it has one."""
    match exchange.scheme:
        case "hmac":
            return f"{key.mount}/hmac/{key.key}/sha2-256"
        case "rsa":
            return f"{key.mount}/sign/{key.key}/sha2-256"
        case "ed25519":
            return f"{key.mount}/sign/{key.key}"


def _holders(settings: Settings) -> dict[Place, dict[str, list[str]]]:
    """What lies at each path in KV, and whose it is."""
    found: dict[Place, dict[str, list[str]]] = {}
    for held in held_secrets(settings):
        if isinstance(held.reference, KvReference):
            names = found.setdefault(place_of(held.reference), {}).setdefault(held.what, [])
            names.append(held.name)
    return found


def _rule(path: str, capability: str, reason: str) -> str:
    if _PLAIN_PATH.fullmatch(path) is None:
        raise PolicyTextError(
            f"the Vault path {path!r} holds a character that a Vault policy reads as a pattern or a quote: "
            "use letters, digits and . _ - @ : = ~ , alone"
        )
    return f'# {reason}\npath "{path}" {{\n  capabilities = ["{capability}"]\n}}'
