"""`vaultsigner policy schema`: what editors need to complete words and mark mistakes."""

import json

import click

from vaultsigner.policy.schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors.

    With it an editor completes words and marks mistakes while a rule is written. It is delivered as policies/schema.json, and
    a policy file names it in its first line:

    \b
      # yaml-language-server: $schema=schema.json

    \b
    Examples:
      vaultsigner policy schema > policies/schema.json
    """
    click.echo(json.dumps(json_schema(), indent=2))
