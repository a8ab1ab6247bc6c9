"""Shows the demonstration to a person: what was asked, what was signed, what was checked, what is on the record."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.json import JSON
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vaultsigner.dev.api_client import ApiAnswer
from vaultsigner.dev.beacon_transactions import DecodedTransaction
from vaultsigner.dev.demonstration import Performed
from vaultsigner.dev.exchange.records import Received
from vaultsigner.dev.exchange_demonstration import ENDPOINT, Asked
from vaultsigner.dev.records import Record
from vaultsigner.dev.scenes import EXCHANGE

PIPE_WIDTH = 110
UNITS = 10**8
AMOUNTS = ("price", "quantity", "amount")


def make_console() -> Console:
    """For a terminal as wide as it is, for a pipe wide enough that lines stay whole."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


class Show:
    """What the person sees, top to bottom."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def title(self, text: str) -> None:
        """The very beginning."""
        self._console.print(Panel(Text(text, justify="center", style="bold"), box=box.DOUBLE, style="cyan"))

    def step(self, text: str, seconds: float) -> None:
        """Something that was set up."""
        self._console.print(Text.assemble((" ✓ ", "green"), text, (f"  {seconds:.1f} s", "dim")))

    def scene(self, number: int, total: int, performed: Performed) -> None:
        """One message, from the request to the record."""
        self._begin(number, total, performed.scene.title)
        self._console.print(_request(performed))
        self._console.print(_answers(performed.signed, "broadcast", performed.answer))
        if performed.transaction is not None:
            self._console.print(_section("The transaction, as the node read it from the bytes"))
            self._console.print(_transaction(performed.transaction))
        self._end(performed.verified, performed.records)

    def asked(self, number: int, total: int, asked: Asked) -> None:
        """One order at the exchange, from the request to the record."""
        self._begin(number, total, asked.scene.title)
        self._console.print(_exchange_request(asked))
        self._console.print(_answers(asked.signed, "forward", asked.answer))
        if asked.received is not None:
            self._console.print(_section("What the exchange got"))
            self._console.print(_received(asked.received))
        self._end(asked.verified, asked.records)

    def _begin(self, number: int, total: int, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{number} of {total}  {title}", align="left", style="cyan")

    def _end(self, verified: tuple[str, ...], records: list[Record]) -> None:
        self._console.print(_section("Verified"))
        for fact in verified:
            self.fact(fact)
        self._console.print(_section("On the record"))
        self._console.print(_records(records))

    def fact(self, text: str) -> None:
        """Something that was checked."""
        self._console.print(Text.assemble((" ✓ ", "green"), text))

    def failure(self, text: str) -> None:
        """What went wrong."""
        self._console.print(Text.assemble((" ✗ ", "bold red"), text), soft_wrap=True)

    def heading(self, text: str) -> None:
        """A part of its own."""
        self._console.print()
        self._console.rule(f"[bold]{text}", align="left", style="cyan")

    def places(self, places: Mapping[str, str]) -> None:
        """Where everything is."""
        table = Table.grid(padding=(0, 2))
        for name, place in places.items():
            table.add_row(Text(f" {name}", style="bold"), Text(place, overflow="fold"))
        self._console.print(table)

    def commands(self, lines: list[str]) -> None:
        """Lines to copy: never broken, never coloured."""
        for line in lines:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def note(self, text: str) -> None:
        """A closing word."""
        self._console.print(Text(text, style="bold"))


def _request(performed: Performed) -> RenderableType:
    scene = performed.scene
    route = Text.assemble(("POST ", "bold"), f"{scene.path}/", ("{sign,broadcast}", "bold"))
    if performed.signed is None:
        route = Text.assemble(("POST ", "bold"), f"{scene.path}/broadcast")
    if scene.by_bot:
        route.append("?operation=…&timestamp=…&recvWindow=…&signature=…\nX-MBX-APIKEY: …", "dim")
    return _boxed(route, JSON.from_data(scene.body, indent=2))


def _exchange_request(asked: Asked) -> RenderableType:
    method, path = ENDPOINT
    route = Text.assemble((f"{method} ", "bold"), f"/exchange/{EXCHANGE}{path}?")
    route.append("…&timestamp=…&signature=…\nX-MBX-APIKEY: the bot's own", "dim")
    return _boxed(route, JSON.from_data(asked.scene.parameters, indent=2))


def _boxed(*parts: RenderableType) -> Panel:
    return Panel(Group(*parts), title="Request", title_align="left", border_style="blue", box=box.ROUNDED)


def _received(received: Received) -> Table:
    table = _members()
    table.add_row("request", Text(received.endpoint, style="bold"))
    table.add_row("X-MBX-APIKEY", received.header("X-MBX-APIKEY") or "")
    for name, value in received.parameters:
        table.add_row(name, value)
    return table


def _members() -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=True, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _transaction(transaction: DecodedTransaction) -> Table:
    table = _members()
    table.add_row("message", Text(transaction.kind, style="bold"))
    for name, value in _flat(transaction.message):
        table.add_row(name, value)
    if transaction.memo:
        table.add_row("memo", transaction.memo)
    table.add_row("account, sequence", f"{transaction.account_number}, {transaction.sequence}")
    table.add_row("public key", transaction.public_key.hex())
    table.add_row("signature", transaction.signature.hex())
    return table


def _flat(message: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """One line a member; amounts in whole coins beside the units that were signed."""
    for name, value in message.items():
        if isinstance(value, list):
            for party in value:
                coins = ", ".join(f"{_coins(coin['amount'])} {coin['denom']}" for coin in party["coins"])
                yield name, f"{party['address']}  {coins}"
        elif name in AMOUNTS and isinstance(value, int):
            yield name, f"{_coins(value)}  ({value} units)"
        else:
            yield name, str(value)


def _coins(units: int) -> str:
    return f"{units // UNITS}.{units % UNITS:08d}"


def _answers(signed: ApiAnswer | None, route: str, answer: ApiAnswer) -> RenderableType:
    lines = [] if signed is None else _answer("sign", signed)
    return Group(_section("Answers"), *lines, *_answer(route, answer))


def _answer(route: str, answer: ApiAnswer) -> list[RenderableType]:
    lines: list[RenderableType] = [_status(route, answer.status, answer.seconds)]
    lines.append(
        Padding(
            Text(json.dumps(_shortened(answer.body), ensure_ascii=False), style="dim", overflow="fold"),
            (0, 0, 0, 6),
        )
    )
    if answer.decision:
        lines.append(Padding(Text(answer.decision, style="dim", overflow="fold"), (0, 0, 0, 6)))
    return lines


def _shortened(body: Any) -> Any:
    """An answer without what is longer than a line, or said twice."""
    if isinstance(body, dict):
        kept = {name: value for name, value in body.items() if name != "detail"}
        return {name: _shortened(value) for name, value in kept.items()}
    return f"{body[:72]}…" if isinstance(body, str) and len(body) > 96 else body


def _status(route: str, status: int, seconds: float) -> Text:
    style = "green" if status == 200 else "yellow"
    return Text.assemble((f" {status} ", style), (f"{route}  ", "bold"), (f"{seconds * 1000:.1f} ms", "dim"))


def _records(records: list[Record]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), header_style="dim")
    for column in ("seq", "kind", "operation", "what"):
        table.add_column(column, no_wrap=column != "what", overflow="fold")
    table.add_column("hash", no_wrap=True, style="dim")
    for record in records:
        operation = str(record.get("operation", ""))
        table.add_row(
            str(record["seq"]), str(record["kind"]), operation, _what(record), f"{record['hash'][:12]}…"
        )
    return table


def _what(record: Record) -> str:
    decision = record.get("decision")
    if decision:
        rule = decision["rule"] or "no rule"
        return f"{decision['effect']} by {rule}: {_in_words(record['intent'])}"
    if record["kind"] == "dispatch" and "endpoint" in record:
        return f"{record['endpoint']}: {record['result']}, HTTP {record['status']}"
    if record["kind"] == "dispatch":
        return f"{record['node']}: {record['result']}, sequence {record['sequence']}"
    if record.get("signed_sha256"):
        return f"signed {record['signed_sha256'][:16]}…, Vault request {record['vault_request_id'][:8]}…"
    return f"{record.get('status', '')} {record.get('code', '')}: {record.get('reason') or ''}"


def _in_words(intent: Mapping[str, Any]) -> str:
    items = intent.get("items", [intent])
    return "; ".join(", ".join(f"{name} {value}" for name, value in item.items()) for item in items)


def _section(text: str) -> Text:
    return Text(f"\n {text}", style="bold blue")
