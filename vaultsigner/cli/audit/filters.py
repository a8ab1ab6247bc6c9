"""The filters of `audit query` and `audit stats`, and the engine behind them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from vaultsigner.audit.files.chain_files import ChainFiles
from vaultsigner.audit.searching.filters import KINDS, Filters, why_no_operation
from vaultsigner.cli.known_names import kinds_and_names_of, operations, rule_ids
from vaultsigner.cli.policy.request import read_since
from vaultsigner.config.problems import UnusableValueError

if TYPE_CHECKING:
    from vaultsigner.audit.searching.queries import RecordQueries

_MOMENT = "2026-11-01, 2026-11-01T08:00:00Z, 30d or 12h ago"


def _moment(ctx: click.Context, param: click.Parameter, text: str | None) -> datetime | None:
    try:
        return None if text is None else read_since(text, datetime.now(UTC))
    except UnusableValueError as error:
        raise click.BadParameter(f"{error.message}; {error.hint}") from None


def _amount(ctx: click.Context, param: click.Parameter, text: str | None) -> Decimal | None:
    """Exact; at most 20 digits before the point and 18 behind it, as DuckDB compares them."""
    if text is None:
        return None
    try:
        amount = Decimal(text)
        exponent = amount.as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -18 and abs(amount) < 10**20:
            return amount
    except ArithmeticError:
        pass
    raise click.BadParameter("this is no amount; write it like 1.5")


def _operation(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    if text is not None and (why := why_no_operation(text)):
        raise click.BadParameter(why)
    return text


_OPTIONS = (
    click.option("--since", callback=_moment, help=f"From then on: {_MOMENT}."),
    click.option("--until", callback=_moment, help="Before then."),
    click.option("--kind", type=click.Choice(KINDS), help="Of the record."),
    click.option("--request-id", help="All records of one request."),
    click.option(
        "--principal",
        metavar="[KIND:]NAME",
        shell_complete=kinds_and_names_of("user", "client"),
        help="Who asked: user:sam, client:bot-1, or the name alone.",
    ),
    click.option(
        "--target",
        metavar="[KIND:]NAME",
        shell_complete=kinds_and_names_of("wallet", "exchange", "open_api"),
        help="On what: wallet:hot, exchange:main, or the name alone.",
    ),
    click.option(
        "--operation",
        callback=_operation,
        shell_complete=operations,
        help="transfer.sign; may have a star: transfer.*",
    ),
    click.option("--effect", type=click.Choice(["allow", "deny"]), help="What policy decided."),
    click.option("--rule", shell_complete=rule_ids, help="The rule that decided."),
    click.option("--code", help="How it ended: ok, or the refusal's code."),
    click.option("--amount-above", callback=_amount, help="An amount of the request is more than that."),
    click.option("--amount-below", callback=_amount, help="An amount of the request is less than that."),
)


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all filters; it gets them as one argument `filters`."""

    @wraps(command)
    def filtered(**given: Any) -> None:
        names = Filters.__dataclass_fields__
        filters = Filters(**{name: given.pop(name) for name in names})
        if filters.is_no_time:
            raise click.UsageError("--since is not before --until: no record can be between them")
        command(filters=filters, **given)

    for option in reversed(_OPTIONS):
        filtered = option(filtered)
    return filtered


def open_engine(chains: Sequence[ChainFiles]) -> "AbstractContextManager[RecordQueries]":
    """See `open_queries`."""
    from vaultsigner.audit.searching.queries import open_queries  # noqa: PLC0415 - DuckDB takes long to load, and few commands need it

    return open_queries(chains)


__all__ = ["Filters", "filter_options", "open_engine"]
