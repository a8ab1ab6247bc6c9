"""The command line: thin commands over the packages below. Each command's module is imported when it is typed."""

import click

from vaultsigner import __version__
from vaultsigner.cli.lazy_group import CommandSource, LazyGroup

RUN, SET_UP, RULES, STOP, SHELL = (
    "Run it, and see how it is",
    "Keys, secrets and callers",
    "Rules and the record",
    "Stop, and agree",
    "On your terminal",
)
COMMANDS = {
    "serve": CommandSource(
        "vaultsigner.cli.serve", "Run the signing service: the server and the custody process.", section=RUN
    ),
    "status": CommandSource(
        "vaultsigner.cli.status",
        "See at a glance how the service is; works when it is down, too.",
        section=RUN,
    ),
    "healthcheck": CommandSource(
        "vaultsigner.cli.healthcheck", "Ask the running service how it is; for containers.", section=RUN
    ),
    "check": CommandSource(
        "vaultsigner.cli.check", "Check the configuration and try every secret reference.", section=RUN
    ),
    "dev": CommandSource(
        "vaultsigner.cli.dev",
        "A complete local world: OpenBao, fresh keys, stand-ins of a node and an exchange.",
        needs="in a checkout `./run demo` brings it and starts this; elsewhere pip install 'vaultsigner[demo]'",
        section=RUN,
    ),
    "vault": CommandSource(
        "vaultsigner.cli.vault", "Give Vault the least policy and the Transit keys needed.", section=SET_UP
    ),
    "state": CommandSource(
        "vaultsigner.cli.state",
        "The state database: its tables, its role, its replicas, a fail-over.",
        section=SET_UP,
    ),
    "keys": CommandSource(
        "vaultsigner.cli.keys", "Create, import and list wallet keys in Vault.", section=SET_UP
    ),
    "users": CommandSource(
        "vaultsigner.cli.users", "Password hashes for the users in config.yml.", section=SET_UP
    ),
    "clients": CommandSource(
        "vaultsigner.cli.clients", "Make and list clients: callers that sign their requests.", section=SET_UP
    ),
    "exchanges": CommandSource(
        "vaultsigner.cli.exchanges", "Import and list the secrets of exchange accounts.", section=SET_UP
    ),
    "open-api": CommandSource(
        "vaultsigner.cli.open_api",
        "Import and list the secrets of mini-programs' Open API accounts.",
        section=SET_UP,
    ),
    "policy": CommandSource(
        "vaultsigner.cli.policy",
        "Check the rules in policies/, explain, test and replay them.",
        section=RULES,
    ),
    "audit": CommandSource(
        "vaultsigner.cli.audit",
        "Verify the record, prove single records, look things up in it.",
        section=RULES,
    ),
    "suspend": CommandSource(
        "vaultsigner.cli.suspend",
        "Stop a wallet, a client, a user, an exchange, or everything.",
        section=STOP,
    ),
    "resume": CommandSource("vaultsigner.cli.suspend", "End a suspension.", section=STOP),
    "suspensions": CommandSource("vaultsigner.cli.suspend", "List what is suspended, and why.", section=STOP),
    "approvals": CommandSource(
        "vaultsigner.cli.approvals", "List the requests that wait for approval.", section=STOP
    ),
    "completion": CommandSource(
        "vaultsigner.cli.completion",
        "Have Tab complete commands, options and the names in your configuration.",
        section=SHELL,
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
  vaultsigner status                                     what works, what does not, what is stopped
  vaultsigner suspend all --reason "what happened"       or one wallet, client, user; then: resume all

\b
Without a Vault, to look around:
  vaultsigner dev                                 in a checkout: ./run demo

\b
More: `vaultsigner COMMAND --help` has examples for each, `vaultsigner completion bash` makes Tab work.
Commands read config/config.yml, or the file that --config or VAULTSIGNER_CONFIG names.
Exit status: 0 done, 1 it could not be done, 2 the command line makes no sense.
"""


@click.group(
    cls=LazyGroup,
    sources=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="vaultsigner signs for trading desks: keys stay in Vault, policy decides, everything is on the record.",
    epilog=EXAMPLES,
)
@click.version_option(__version__, prog_name="vaultsigner")
def main() -> None:
    """The root of the command line."""
