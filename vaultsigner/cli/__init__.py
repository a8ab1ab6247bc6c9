"""The command line: thin commands over the packages below. Each command's module is imported when it is typed."""

import click

from vaultsigner import __version__
from vaultsigner.cli.lazy_group import CommandSource, LazyGroup

COMMANDS = {
    "serve": CommandSource(
        "vaultsigner.cli.serve", "Run the signing service: the server and the custody process."
    ),
    "dev": CommandSource(
        "vaultsigner.cli.dev",
        "A complete local world: OpenBao, fresh keys, a chain node stand-in, the service.",
        needs="in a checkout `./run demo` brings it and starts this; elsewhere pip install 'vaultsigner[demo]'",
    ),
    "check": CommandSource(
        "vaultsigner.cli.check", "Check the configuration and try every secret reference."
    ),
    "keys": CommandSource("vaultsigner.cli.keys", "Create, import and list wallet keys in Vault."),
    "clients": CommandSource(
        "vaultsigner.cli.clients", "Make and list clients: callers that sign their requests."
    ),
    "exchanges": CommandSource(
        "vaultsigner.cli.exchanges", "Import and list the secrets of exchange accounts."
    ),
    "open-api": CommandSource(
        "vaultsigner.cli.open_api", "Import and list the secrets of mini-programs' Open API accounts."
    ),
    "policy": CommandSource(
        "vaultsigner.cli.policy", "Check the rules in policies/, explain, test and replay them."
    ),
    "audit": CommandSource(
        "vaultsigner.cli.audit", "Verify the record, prove single records, look things up in it."
    ),
    "suspend": CommandSource(
        "vaultsigner.cli.suspend", "Stop a wallet, a client, a user, an exchange, or everything."
    ),
    "resume": CommandSource("vaultsigner.cli.suspend", "End a suspension."),
    "suspensions": CommandSource("vaultsigner.cli.suspend", "List what is suspended, and why."),
    "approvals": CommandSource("vaultsigner.cli.approvals", "List the requests that wait for approval."),
    "users": CommandSource("vaultsigner.cli.users", "Password hashes for the users in config.yml."),
    "vault": CommandSource(
        "vaultsigner.cli.vault", "Give Vault the least policy and the Transit keys needed."
    ),
}

EXAMPLES = """
\b
A first setup, with your own Vault:
  vaultsigner users hash-password                        a line for config.yml
  edit config/config.yml                                 wallets, users; references to Vault, never keys
  vaultsigner vault setup --token-out /run/vault/token   what the service may do in Vault, and its token
  vaultsigner keys create wallet_1                       a key, straight into Vault (or: keys import)
  vaultsigner check                                      does it all fit together?
  vaultsigner serve

\b
A bot that signs its requests, instead of logging in:
  vaultsigner clients create bot-1 --scheme hmac         lines for config.yml, and a secret shown once

\b
A bot that trades at an exchange and holds no exchange secret:
  edit config/config.yml                          the exchange, under exchanges:
  vaultsigner vault setup --token-out FILE        Transit, where its secret will lie, and the service's token
  vaultsigner exchanges import binance-main       the exchange's secret, straight into Vault
  vaultsigner clients create bot-1 --scheme hmac  lines for config.yml, with exchanges: [binance-main]
  vaultsigner vault setup                         lets the service read the bot's secret; then check, serve

\b
A new wallet or client later: edit config/config.yml, then vault setup, keys create, check; restart serve.

\b
When something is wrong, also with Vault down:
  vaultsigner suspend all --reason "what happened"       or one wallet, client, user; then: resume all

\b
Without a Vault, to look around:
  vaultsigner dev                                 in a checkout: ./run demo

Exit status: 0 done, 1 it could not be done, 2 the command line makes no sense.
"""


@click.group(
    cls=LazyGroup,
    sources=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="vaultsigner signs for trading desks: keys stay in Vault, policy decides, everything is on the record.\n"
    + EXAMPLES,
)
@click.version_option(__version__, prog_name="vaultsigner")
def main() -> None:
    """The root of the command line."""
