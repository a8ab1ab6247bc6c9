"""A request to an exchange on the command line, as it would be sent: a method and a path, or a method of the WebSocket API."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from vaultsigner.cli.policy.options import ReadBy
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import METHODS, ExchangeRequest
from vaultsigner.formats.exchange.sign_only import read_described
from vaultsigner.strict_json import JsonDocument, MalformedJsonError, parse

_Command = TypeVar("_Command", bound=Callable[..., object])
_EXAMPLE = """write it like '{"symbol": "BTCUSDT", "quantity": "0.5"}'"""


def _read_text(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UnusableValueError("this is not UTF-8", "encode it as UTF-8") from None
    return text


def _read_params(text: str) -> JsonDocument:
    try:
        params = parse(text.encode("utf-8", "surrogateescape"))
    except MalformedJsonError as error:
        raise UnusableValueError(str(error).replace("the body", "this"), _EXAMPLE) from None
    if not isinstance(params, dict):
        raise UnusableValueError("the parameters are an object", _EXAMPLE)
    return params


_TEXT = ReadBy("TEXT", _read_text)
_OPTIONS = (
    click.option("--method", type=click.Choice(sorted(METHODS)), help="Of a request to an exchange: POST."),
    click.option("--path", type=_TEXT, help="Where at the exchange: /api/v3/order."),
    click.option("--query", type=_TEXT, help="Its parameters, percent-encoded: 'symbol=BTCUSDT&side=BUY'."),
    click.option("--body", type=_TEXT, help="Its body: a form instead of the query, or JSON."),
    click.option("--ws", type=_TEXT, help="Instead: a method of the exchange's WebSocket API, order.place."),
    click.option("--params", type=ReadBy("JSON", _read_params), help="The parameters as a JSON object."),
)


def request_options(command: _Command) -> _Command:
    """`--method`, `--path`, `--query`, `--body`, `--ws` and `--params`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_request(members: Mapping[str, JsonDocument]) -> ExchangeRequest | None:
    """The request that the options describe; None where none of them is given.

    Args:
        members: by the options' names; None for what was not given.

    Raises:
        click.UsageError: it cannot be sent like this.
    """
    given: dict[str, JsonDocument] = {name: value for name, value in members.items() if value is not None}
    if not given:
        return None
    if "ws" not in given and not {"method", "path"} <= given.keys():
        raise click.UsageError("a request to an exchange has --method and --path, or --ws")
    if "ws" in given and (others := given.keys() - {"ws", "params"}):
        raise click.UsageError(f"--ws has --params alone: leave out --{sorted(others)[0]}")
    request = read_described(given)
    if isinstance(request, Refusal):
        raise click.UsageError("\n".join(_problems(request)))
    return request


def check_alone(target: str, others: Mapping[str, object]) -> None:
    """What a request says itself must not be said beside it, for the two could differ.

    Args:
        others: options and what was given with them, empty where nothing was.

    Raises:
        click.UsageError: something is, or the request is for no exchange.
    """
    for option, given in others.items():
        if given:
            raise click.UsageError(f"{option} is read from the request to the exchange: leave it out")
    if not target.startswith("exchange:"):
        raise click.BadParameter(
            "a request as it would be sent is for an exchange; write exchange:NAME", param_hint="'--target'"
        )


def _problems(refusal: Refusal) -> list[str]:
    told = [
        f"--{'.'.join(str(step) for step in loc[1:])}: {problem['msg']}"
        for problem in (refusal.detail if isinstance(refusal.detail, list) else [])
        if isinstance(problem, dict) and isinstance(loc := problem["loc"], list)
    ]
    return told or [refusal.message]
