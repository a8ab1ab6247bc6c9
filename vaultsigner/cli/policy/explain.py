"""`vaultsigner policy explain`: what each rule says to a request, and what is decided."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import click

from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.policy import request
from vaultsigner.cli.policy.explanation import Asked, document_of, make_console, show_explanation
from vaultsigner.cli.policy.options import json_option, policies_option, policy_directory, settings_if_any
from vaultsigner.config import ConfigProblems
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import ClientName, JsonValue, Operation, UserName
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import load
from vaultsigner.policy.documents import permission_document

ASSUMED_IP = ip_address("127.0.0.1")


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


@click.command()
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
    and the approvals that it needs. How full a limit is only the running service knows. Where there is a configuration, what its
    permissions say is told, too. For programs the document is the one that POST /api/policy/explain answers operators.

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
    intent = Intent(operation, target, items or ({},), memo)
    permission = _permission(config_file, principal, intent)
    asked = Asked(principal, intent, circumstances, assumed, permission)
    explanation = rules.explain(principal, intent, circumstances)
    if as_json:
        click.echo(json.dumps(document_of(asked, explanation), indent=2))
    else:
        show_explanation(make_console(), asked, explanation)


def _permission(
    config_file: Path | None, principal: Principal, intent: Intent
) -> dict[str, JsonValue] | None:
    """What a configuration that can be used says to it, where it knows the caller."""
    try:
        settings = settings_if_any(config_file)
    except ConfigProblems:
        return None  # rules must be explainable before the rest fits
    if settings is None:
        return None
    caller = (
        settings.users.get(UserName(principal.name))
        if principal.kind == "user"
        else settings.clients.get(ClientName(principal.name))
    )
    return None if caller is None else permission_document(settings, intent, caller)
