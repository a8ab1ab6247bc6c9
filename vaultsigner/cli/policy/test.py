"""`vaultsigner policy test`: cases and what should be decided, for CI."""

import json
import sys
from pathlib import Path

import click

from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.cases import load_cases
from vaultsigner.cli.policy.options import directory_argument, json_option, policy_directory
from vaultsigner.cli.policy.testing import CaseResult, run_cases
from vaultsigner.cli.policy.words import counted
from vaultsigner.policy import load

_COLOURS = {"-": "red", "+": "green", "?": "bright_black"}


@click.command()
@directory_argument
@config_option
@click.option(
    "--cases",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the cases lie. Default: tests/ in the directory of the rules.",
)
@json_option
def test(directory: Path | None, config_file: Path | None, cases: Path | None, as_json: bool) -> None:
    """Decide the cases in policies/tests/*.yml and compare with what they expect.

    A case that is decided otherwise is shown as a diff: - expected, + decided. Of `expect` only what is written is compared;
    `rule: null` expects that no rule matches. A case without ip and at asks rules that need them in vain.

    Exit status: 0 all as expected, 1 a case is not, or cannot be read.

    \b
    policies/tests/desk.yml:
      version: 1
      defaults: {ip: 10.0.0.7, at: "2026-11-20T10:00:00Z"}
      cases:
        - name: sam sends a little
          principal: user:sam
          operation: transfer.broadcast
          target: wallet:wallet_1
          items: [{to_address: tbnb1..., amount: "5", symbol: BNB}]
          expect: {effect: allow, rule: small-transfers}

    \b
    Examples:
      vaultsigner policy test
      vaultsigner policy test new/ --cases policies/tests
    """
    rules_directory = policy_directory(directory, config_file)
    rules = load(rules_directory)
    ids = frozenset(rule.id for rule in rules.rules)
    found, files = load_cases(cases if cases is not None else rules_directory / "tests", ids)
    results = run_cases(rules, found)
    failed = [result for result in results if not result.passed]
    if as_json:
        shown = {"policy": rules.digest, "cases": len(results), "failed": len(failed)}
        click.echo(json.dumps({**shown, "results": [result.document() for result in results]}, indent=2))
    else:
        _show_failures(failed)
        click.echo(
            f"{len(results) - len(failed)} of {counted(len(results), 'case')} as expected, in {counted(files, 'file')}"
        )
    sys.exit(1 if failed else 0)


def _show_failures(failed: list[CaseResult]) -> None:
    for result in failed:
        click.echo(f"{result.case.place}: {click.style(result.case.name, bold=True)}")
        for mark, text in result.difference():
            click.secho(f"  {mark} {text}", fg=_COLOURS.get(mark))
        click.echo()
