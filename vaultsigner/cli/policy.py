"""`vaultsigner policy`: check the rules, ask them, test them, replay the record under them. Thin: the work is next door."""

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import click
from rich.console import Console

from vaultsigner.audit.reading import Unreadable, read_intents, record_files
from vaultsigner.cli import policy_request as request
from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy_cases import load_cases
from vaultsigner.cli.policy_checking import PolicyReport, check_directory
from vaultsigner.cli.policy_explanation import Asked, explanation_document, make_console, show_explanation
from vaultsigner.cli.policy_options import (
    DEFAULT_RECORDS,
    directory_argument,
    json_option,
    policies_option,
    policy_directory,
    settings_if_any,
)
from vaultsigner.cli.policy_replay import Replay
from vaultsigner.cli.policy_replay_report import progress_on, replay_document, show_replay
from vaultsigner.cli.policy_testing import CaseResult, run_cases
from vaultsigner.config import ConfigProblems
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import load
from vaultsigner.policy.schema import json_schema

ASSUMED_IP = ip_address("127.0.0.1")
_LEVEL_COLOURS = {"error": "red", "warning": "yellow"}
_DIFF_COLOURS = {"-": "red", "+": "green", "?": "bright_black"}


class ReadBy(click.ParamType):  # type: ignore[type-arg]  # generic to mypy from click 8.3 on, and not before
    """An option's text, read by one of our readers, whose complaint becomes a usage error."""

    def __init__(self, name: str, read: Callable[[str], object]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """The value."""
        try:
            return self._read(value) if isinstance(value, str) else value
        except UnusableValueError as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


@click.group(cls=CommandGroup)
def policy() -> None:
    """Check the rules in policies/, explain, test and replay them.

    Nothing here needs Vault or a running service, and nothing is changed.
    """


@policy.command()
@directory_argument
@config_option
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings, too.")
@json_option
def check(directory: Path | None, config_file: Path | None, strict: bool, as_json: bool) -> None:
    """Tell everything that is wrong with the rules, and what is hardly meant.

    Mistakes come with file, line and column, and with the nearest word that is known. Warnings: rules that can never match,
    rules that another makes pointless, limits that no one can reach, transfers allowed to anywhere in any amount. Where there is
    a configuration, names in rules that it does not have are told, too. DIR is the configuration's directory, else policies/.

    Exit status: 0 the service would start with these rules, 1 it would not, or a rule protects nothing.

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
        click.secho(str(finding), fg=_LEVEL_COLOURS[finding.level])
    counted = f"{_many(report.count('error'), 'error')}, {_many(report.count('warning'), 'warning')}"
    if report.policies is None:
        click.echo(f"{report.directory}: {counted}; vaultsigner would not start with these rules")
        return
    rules = _many(len(report.policies.rules), "rule")
    names = "" if report.names_checked else "; names not checked: there is no configuration"
    click.echo(f"{report.directory}: {rules}, {counted}; policies {report.policies.digest[:19]}{names}")


@policy.command()
@policies_option
@config_option
@click.option(
    "--as",
    "principal",
    type=ReadBy("caller", request.read_principal),
    metavar="KIND:NAME",
    required=True,
    help="Who asks: user:sam, client:bot-1.",
)
@click.option(
    "--operation",
    type=ReadBy("OPERATION", request.read_operation),
    required=True,
    help="What for: transfer.broadcast.",
)
@click.option(
    "--target", type=ReadBy("KIND:NAME", request.read_target), required=True, help="On what: wallet:wallet_1."
)
@click.option(
    "--item",
    "items",
    type=ReadBy("JSON", request.read_item),
    multiple=True,
    help="The fields of the request; once for each payment of a transfer.",
)
@click.option("--memo", default="", help="The memo that would be signed with it.")
@click.option("--ip", type=ReadBy("ADDRESS", request.read_ip), help="Where from. Default: 127.0.0.1.")
@click.option(
    "--at", "moment", type=ReadBy("TIME", request.read_moment), help="When, with its zone. Default: now."
)
@json_option
def explain(
    *,
    policies: Path | None,
    config_file: Path | None,
    principal: Principal,
    operation: Operation,
    target: str,
    items: tuple[Mapping[str, JsonValue], ...],
    memo: str,
    ip: IPv4Address | IPv6Address | None,
    moment: datetime | None,
    as_json: bool,
) -> None:
    """Show what each rule says to a request, and what is decided.

    Each rule has matched, or the first reason why not is told; then the decision, with the limits that the request counts towards
    and the approvals that it needs. How full a limit is only the running service knows.

    Exit status: 0 it was decided, one way or the other.

    \b
    Examples:
      vaultsigner policy explain --as user:sam --operation transfer.broadcast --target wallet:wallet_1 \\
          --item '{"amount": "5", "symbol": "BNB", "to_address": "tbnb1..."}'
      vaultsigner policy explain --as client:bot-1 --operation order.sign --target wallet:wallet_1 \\
          --item '{"symbol": "BNB_BUSD-BD1", "price": "500", "quantity": "3"}' --ip 10.0.0.7 --at 2026-11-20T10:00:00Z --json
    """
    rules = load(policy_directory(policies, config_file))
    circumstances = Circumstances(ip or ASSUMED_IP, moment or datetime.now(UTC))
    assumed = frozenset(name for name, given in (("ip", ip), ("at", moment)) if given is None)
    asked = Asked(principal, Intent(operation, target, items or ({},), memo), circumstances, assumed)
    explanation = rules.explain(principal, asked.intent, circumstances)
    if as_json:
        click.echo(json.dumps(explanation_document(asked, explanation), indent=2))
    else:
        show_explanation(make_console(), asked, explanation)


@policy.command()
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
            f"{len(results) - len(failed)} of {_many(len(results), 'case')} as expected, in {_many(files, 'file')}"
        )
    sys.exit(1 if failed else 0)


def _show_failures(failed: list[CaseResult]) -> None:
    for result in failed:
        click.echo(f"{result.case.place}: {click.style(result.case.name, bold=True)}")
        for mark, text in result.difference():
            click.secho(f"  {mark} {text}", fg=_DIFF_COLOURS.get(mark))
        click.echo()


@policy.command()
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    help=f"The directory of the record. Default: the configuration's, else {DEFAULT_RECORDS}/.",
)
@policies_option
@config_option
@click.option("--since", help="Leave out what is older: 30d, 12h, 2026-11-01, 2026-11-01T08:00:00Z.")
@json_option
def replay(
    records: Path | None, policies: Path | None, config_file: Path | None, since: str | None, as_json: bool
) -> None:
    """Decide every request on the record once more, under other rules, and tell which decisions change.

    All chains are read, also while the service writes. What was refused before policy was asked (no permission, malformed) is not
    on record as an intent, and so not replayed. Addresses and times are those of the record; of a memo it has the SHA-256 alone,
    and rules about memos are decided exactly all the same. Limits and approvals are shown as conditions and not replayed: only a
    request that is over a limit all by itself counts as refused. Whether the record was tampered with is not looked at.

    Exit status: 0 done, whatever changes; 1 it could not be done, or there were lines that are no records.

    \b
    Examples:
      vaultsigner policy replay --records audit/ --policies new/
      vaultsigner policy replay --policies new/ --since 30d
      vaultsigner policy replay --policies new/ --json | jq '.changes[] | select(.would_be.verdict == "deny")'
    """
    begin = _since(since)
    rules = load(policy_directory(policies, config_file))
    files = record_files(_records(records, config_file), since=begin.date() if begin is not None else None)
    run, unreadable = Replay(rules, begin), Unreadable()
    with progress_on(Console(stderr=True), sum(file.size for file in files)) as progress:
        for file in files:
            for line, record in read_intents(file, unreadable, progress):
                if not run.take(record):
                    unreadable.add(file.path, line)
    if as_json:
        click.echo(json.dumps(replay_document(run, unreadable), indent=2))
    else:
        show_replay(make_console(), run, unreadable)
    sys.exit(1 if unreadable.count else 0)


def _since(text: str | None) -> datetime | None:
    try:
        return None if text is None else request.read_since(text, datetime.now(UTC))
    except UnusableValueError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}", param_hint="--since") from None


def _records(records: Path | None, config_file: Path | None) -> Path:
    if records is not None:
        return records
    settings = settings_if_any(config_file)
    return settings.audit.directory if settings is not None else DEFAULT_RECORDS


@policy.command()
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


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
