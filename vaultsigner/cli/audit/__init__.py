"""`vaultsigner audit`: verify the record, prove single records, look things up in it.

A file for each command, and beside them options.py, filters.py, rows.py (a record for people) and verify_report.py.
"""

import click

from vaultsigner.cli.audit.check_proof import check_proof
from vaultsigner.cli.audit.key import key
from vaultsigner.cli.audit.prove import prove
from vaultsigner.cli.audit.query import query
from vaultsigner.cli.audit.reconcile import reconcile_logs
from vaultsigner.cli.audit.root import root
from vaultsigner.cli.audit.stats import stats
from vaultsigner.cli.audit.tail import tail
from vaultsigner.cli.audit.verify import verify
from vaultsigner.cli.command_group import CommandGroup


@click.group(cls=CommandGroup)
def audit() -> None:
    """Verify the record, prove single records, look things up in it.

    Nothing here but `key` needs Vault or a running service, and nothing is changed. A running service may go on writing.
    """


for command in (verify, root, prove, check_proof, key, query, stats, tail, reconcile_logs):
    audit.add_command(command)
