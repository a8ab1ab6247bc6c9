"""`vaultsigner approvals`: what waits for others to agree. Votes need their voters' own credentials, and so the service."""

import json
import time
from pathlib import Path
from typing import Any

import click

from vaultsigner.cli.command_group import CommandGroup
from vaultsigner.cli.configuration import config_option, load_settings
from vaultsigner.cli.live_state import with_state
from vaultsigner.signing.moments import told
from vaultsigner.state import KnownApproval


class ListingGroup(CommandGroup):
    """Lists where no command is typed: there is nothing else to do here."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Click's own, with `list` where only its options stand."""
        options = args[:1] if args and args[0].startswith("-") else []
        bare = not args or (options and options[0] not in ctx.help_option_names)
        return super().parse_args(ctx, ["list", *args] if bare else args)


@click.group(cls=ListingGroup)
def approvals() -> None:
    """List the requests that wait for approval; `list` may be left out."""


@approvals.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@config_option
def list_approvals(config_file: Path | None, as_json: bool) -> None:
    """All that wait for approval, or are granted and not used yet; what expires first, first.

    Whoever may decide does so with POST /api/approvals/ID/approve or reject.

    \b
    Examples:
      vaultsigner approvals
      vaultsigner approvals list --json | jq '.[] | select(.requested_by == "client:bot-1")'
    """
    now_ms = time.time_ns() // 1_000_000
    found = with_state(load_settings(config_file), lambda state: state.list_approvals(now_ms=now_ms))
    rows = [_document(each) for each in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("nothing waits for approval")
    else:
        for row in rows:
            click.echo("\n".join(_lines(row)))


def _document(known: KnownApproval) -> dict[str, Any]:
    approval = known.approval
    request = json.loads(approval.request)
    deciders = request.pop("of")
    return {
        "id": approval.id,
        "status": str(known.status),
        "needed": approval.needed,
        "given": known.given,
        "of": deciders,
        "votes": [{"by": vote.by, "approve": vote.approve, "at": told(vote.at_ms)} for vote in known.votes],
        "requested_by": approval.requested_by,
        "rule": approval.rule,
        "policy": approval.policy,
        "expires_at": told(approval.expires_at_ms),
        "request": request,
    }


def _lines(row: dict[str, Any]) -> list[str]:
    """What came from callers is shown as JSON, in ASCII: nothing in it moves a terminal's cursor."""
    request = row["request"]
    lines = [
        f"{row['id']}  {row['status']}, {row['given']} of {row['needed']}, until {row['expires_at']}",
        f"  {row['requested_by']} asks for {request['operation']} on {request['target']} (rule {row['rule']})",
        *(f"    {json.dumps(item)}" for item in request["items"]),
    ]
    if request["memo"]:
        lines.append(f"    memo {json.dumps(request['memo'])}")
    votes = ", ".join(f"{vote['by']} {'yes' if vote['approve'] else 'no'}" for vote in row["votes"])
    return [*lines, f"  of {', '.join(row['of'])}" + (f"; {votes}" if votes else "")]
