"""The least Vault policy that custody can work with, as text. Pure."""

import re
from collections.abc import Iterator

from vaultsigner.config.settings import KvReference, Settings, TransitReference
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
    """The Transit keys this version uses: the one that signs access tokens. Ed25519, not exportable."""
    return (settings.access_token_key,)


def kv_references(settings: Settings) -> tuple[KvReference, ...]:
    """The secrets of wallets and clients, each path once, in the order of the configuration."""
    secrets = [wallet.key for wallet in settings.wallets.values()]
    secrets += [client.secret for client in settings.clients.values() if client.secret]
    return tuple({_place(reference): reference for reference in secrets}.values())


def _rules(settings: Settings) -> Iterator[tuple[str, str, str]]:
    holders = _holders(settings)
    for reference in kv_references(settings):
        held = (f"{what} {', '.join(names)}" for what, names in holders[_place(reference)].items())
        yield f"{reference.mount}/data/{reference.path}", "read", "; ".join(held)
    for key in transit_keys(settings):
        yield f"{key.mount}/sign/{key.key}", "update", "sign access tokens"
        yield f"{key.mount}/keys/{key.key}", "read", "the public half of that key"
    # The token carries no `default` policy: its templated paths would be evaluated on every read.
    yield "auth/token/renew-self", "update", "keep the token alive"
    yield "auth/token/lookup-self", "read", "know when to renew it"


def _holders(settings: Settings) -> dict[tuple[str, str], dict[str, list[str]]]:
    """What lies at each path, and whose it is."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for wallet in settings.wallets.values():
        found.setdefault(_place(wallet.key), {}).setdefault("the key of", []).append(wallet.name)
    for client in settings.clients.values():
        if client.secret is not None:
            names = found.setdefault(_place(client.secret), {}).setdefault("the secret of client", [])
            names.append(client.name)
    return found


def _place(reference: KvReference) -> tuple[str, str]:
    return reference.mount, reference.path


def _rule(path: str, capability: str, reason: str) -> str:
    if _PLAIN_PATH.fullmatch(path) is None:
        raise PolicyTextError(
            f"the Vault path {path!r} holds a character that a Vault policy reads as a pattern or a quote: "
            "use letters, digits and . _ - @ : = ~ , alone"
        )
    return f'# {reason}\npath "{path}" {{\n  capabilities = ["{capability}"]\n}}'
