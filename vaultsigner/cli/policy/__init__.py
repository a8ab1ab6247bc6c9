"""`vaultsigner policy`: check the rules, ask them, test them, replay the record under them.

A file for each command, and the work beside it: cases.py, checking.py, explanation.py, replaying.py, testing.py.
"""

import click

from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.policy.check import check
from vaultsigner.cli.policy.explain import explain
from vaultsigner.cli.policy.replay import replay
from vaultsigner.cli.policy.schema import schema
from vaultsigner.cli.policy.test import test


@click.group(cls=CommandGroup)
def policy() -> None:
    """Check the rules in policies/, explain, test and replay them.

    Nothing here needs Vault or a running service, and nothing is changed.
    """


for command in (check, explain, test, replay, schema):
    policy.add_command(command)
