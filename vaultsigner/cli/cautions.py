"""What a configuration that can be used should still be looked at for. Pure."""

from collections.abc import Iterator

from vaultsigner.config.addresses import is_loopback
from vaultsigner.config.password_hashes import is_guessable
from vaultsigner.config.public_keys import CLIENT_RSA_BITS
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql, postgresql_cautions
from vaultsigner.policy import PolicySet, unknown_names


def cautions(settings: Settings, policies: PolicySet) -> Iterator[str]:
    """One line for each, the most telling first."""
    if not settings.users and not settings.clients:
        yield (
            "there are no users and no clients: nobody can ask for anything; `vaultsigner users hash-password` prints a "
            "line for a user, `vaultsigner clients create` the lines for a client"
        )
    if not settings.wallets:
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
    for name in unknown_names(policies, settings):
        if not name.opens:
            yield name.text
    for user in settings.users.values():
        if is_guessable(user.password_hash):
            yield (
                f"{user.username}: this password hash was made with little work; renew it: vaultsigner users hash-password"
            )
