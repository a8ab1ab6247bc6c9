"""`vaultsigner policy explain`: what each rule says to a request, and what is decided."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import click

from vaultsigner.cli.configuration import config_option
from vaultsigner.cli.known_names import kinds_and_names_of, operations
from vaultsigner.cli.policy import request
from vaultsigner.cli.policy.exchange_request import check_alone, read_request, request_options
from vaultsigner.cli.policy.explanation import Asked, document_of, make_console, show_explanation
from vaultsigner.cli.policy.options import (
    ReadBy,
    json_option,
    policies_option,
    policy_directory,
    settings_if_any,
)
from vaultsigner.config import ConfigProblems
from vaultsigner.config.problems import suggestion
from vaultsigner.config.settings import Client, Settings, User
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import load
from vaultsigner.policy.documents import permission_document
from vaultsigner.signing.described import note_on_fields, note_on_sent, sent_intent, unknown_target
from vaultsigner.strict_json import JsonDocument

ASSUMED_IP = ip_address("127.0.0.1")


@click.command()
@policies_option
@config_option
@click.option(
    "--as",
    "principal",
    type=ReadBy("caller", request.read_principal),
    metavar="KIND:NAME",
    required=True,
    shell_complete=kinds_and_names_of("user", "client"),
    help="Who asks: user:sam, client:bot-1.",
)
@click.option(
    "--operation",
    type=ReadBy("OPERATION", request.read_operation),
    shell_complete=operations,
    help="What for: transfer.broadcast. Left out where a request to an exchange is given.",
)
@click.option(
    "--target",
    type=ReadBy("KIND:NAME", request.read_target),
    shell_complete=kinds_and_names_of("wallet", "exchange", "open_api"),
    required=True,
    help="On what: wallet:wallet_1, exchange:main.",
)
@click.option(
    "--item",
    "items",
    type=ReadBy("JSON", request.read_item),
    multiple=True,
    help="The fields of the request; once for each payment of a transfer.",
)
@click.option("--memo", default="", help="The memo that would be signed with it.")
@request_options
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
    operation: Operation | None,
    target: str,
    items: tuple[Mapping[str, JsonValue], ...],
    memo: str,
    method: str | None,
    path: str | None,
    query: str | None,
    body: str | None,
    ws: str | None,
    params: JsonDocument,
    ip: IPv4Address | IPv6Address | None,
    moment: datetime | None,
    as_json: bool,
) -> None:
    """Show what each rule says to a request, and what is decided.

    Each rule has matched, or the first reason why not is told; then the decision, with the limits that the request counts towards
    and the approvals that it needs. How full a limit is only the running service knows. Where there is a configuration, what its
    permissions say is told, too. For programs the document is the one that POST /api/policy/explain answers operators.

    Of a request to an exchange give what would be sent: what it means is found the way the service finds it. Fields that
    are written by hand may differ from that.

    Exit status: 0 it was decided, one way or the other; 2 the question makes no sense, or names what the configuration lacks.

    \b
    Examples:
      vaultsigner policy explain --as user:sam --operation transfer.broadcast --target wallet:wallet_1 \\
          --item '{"amount": "5", "symbol": "BNB", "to_address": "tbnb1..."}'
      vaultsigner policy explain --as client:bot-1 --operation order.sign --target wallet:wallet_1 \\
          --item '{"symbol": "BNB_BUSD-BD1", "price": "500", "quantity": "3"}' --ip 10.0.0.7 --at 2026-11-20T10:00:00Z --json
      vaultsigner policy explain --as client:bot-1 --target exchange:main \\
          --method POST --path /api/v3/order --query 'symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100'
      vaultsigner policy explain --as client:bot-1 --target exchange:main \\
          --ws order.place --params '{"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"}'
    """
    sent = read_request(
        {"method": method, "path": path, "query": query, "body": body, "ws": ws, "params": params}
    )
    if sent is None:
        intent = Intent(_needed(operation), target, items or ({},), memo)
    else:
        check_alone(target, {"--operation": operation, "--item": items, "--memo": memo})
        intent = sent_intent(sent, target)
    rules = load(policy_directory(policies, config_file))
    circumstances = Circumstances(ip or ASSUMED_IP, moment or datetime.now(UTC))
    assumed = frozenset(name for name, given in (("ip", ip), ("at", moment)) if given is None)
    settings = _usable_settings(config_file)
    permission = None if settings is None else _permission(settings, principal, intent)
    note = (
        note_on_fields(intent)
        if sent is None
        else note_on_sent(
            sent,
            intent,
            policies=rules,
            principal=principal,
            circumstances=circumstances,
            settings=settings,
        )
    )
    asked = Asked(principal, intent, circumstances, assumed, permission, note)
    explanation = rules.explain(principal, intent, circumstances)
    if as_json:
        click.echo(json.dumps(document_of(asked, explanation), indent=2))
    else:
        show_explanation(make_console(), asked, explanation)


def _needed(operation: Operation | None) -> Operation:
    if operation is None:
        raise click.UsageError(
            "Missing option '--operation'; or, for an exchange, '--method' and '--path', or '--ws'."
        )
    return operation


def _usable_settings(config_file: Path | None) -> Settings | None:
    """None also where a configuration cannot be used: rules must be explainable before the rest fits."""
    try:
        return settings_if_any(config_file)
    except ConfigProblems:
        return None


def _permission(settings: Settings, principal: Principal, intent: Intent) -> dict[str, JsonValue] | None:
    """What the configuration says to it.

    Raises:
        click.BadParameter: it has no such caller or target.
    """
    account = _account(settings, principal)
    if (unknown := unknown_target(settings, intent.target)) is not None:
        raise click.BadParameter(unknown, param_hint="'--target'")
    return permission_document(settings, intent, account)


def _account(settings: Settings, principal: Principal) -> User | Client:
    users = {str(name): user for name, user in settings.users.items()}
    clients = {str(name): client for name, client in settings.clients.items()}
    known: Mapping[str, User | Client] = users if principal.kind == "user" else clients
    account = known.get(principal.name)
    if account is None:
        told = f"no {principal.kind} has this name; {suggestion(principal.name, known)}"
        raise click.BadParameter(told, param_hint="'--as'")
    return account
