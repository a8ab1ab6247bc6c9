"""`vaultsigner policy check`: what is wrong with the rules, and what is hardly meant."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy.checking import PolicyReport, check_directory
from vaultsigner.cli.policy.options import (
    directory_argument,
    json_option,
    policy_directory,
    settings_if_any,
)
from vaultsigner.cli.policy.words import counted
from vaultsigner.config import ConfigProblems

_COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
@directory_argument
@config_option
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings, too.")
@json_option
def check(directory: Path | None, config_file: Path | None, strict: bool, as_json: bool) -> None:
    """Tell everything that is wrong with the rules, and what is hardly meant.

    Everything comes with file, line and column, and with the nearest word that is known. Warnings: rules that can never match,
    words and addresses that no request has, rules that another makes pointless, limits that no one can reach, transfers allowed
    to anywhere in any amount. Where there is a configuration, names in rules that it does not have are told, too. DIR is the
    configuration's directory, else policies/.

    Exit status: 0 the service would start with these rules, 1 it would not, or a rule denies names that nobody has.

    \b
    Examples:
      vaultsigner policy check
      vaultsigner policy check new/ --strict
      vaultsigner policy check --json | jq '.findings[] | select(.level == "error")'
    """
    problem, settings = None, None
    try:
        settings = settings_if_any(config_file)
    except ConfigProblems as error:
        # Rules must be checkable before the rest fits; `vaultsigner check` is there for the rest.
        problem = f"the configuration cannot be used, so names are not checked: {error.problems[0]}"
    report = check_directory(policy_directory(directory, config_file), settings, datetime.now(UTC).date())
    if problem is not None:
        click.echo(problem, err=True)
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        _show_report(report)
    sys.exit(1 if report.count("error") or (strict and report.count("warning")) else 0)


def _show_report(report: PolicyReport) -> None:
    for finding in report.findings:
        click.secho(str(finding), fg=_COLOURS[finding.level])
    found = f"{counted(report.count('error'), 'error')}, {counted(report.count('warning'), 'warning')}"
    if report.policies is None:
        click.echo(f"{report.directory}: {found}; vaultsigner would not start with these rules")
        return
    rules = counted(len(report.policies.rules), "rule")
    names = "" if report.names_checked else "; names not checked: there is no configuration"
    click.echo(f"{report.directory}: {rules}, {found}; policies {report.policies.digest[:19]}{names}")
