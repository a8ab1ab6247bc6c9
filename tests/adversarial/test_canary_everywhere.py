"""Secrets typed into every place of a request to every route, by everybody: in no record, no log and no error.

What is attacked comes from the tables of routes themselves. A route that is added is attacked, too, by the example that its
document shows; `canary_desk.served` has the few whose example would not be served here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from tests.adversarial.canaries import BROKEN, CANARIES, HEADERS, NEEDLES, with_canary
from tests.adversarial.canary_desk import (
    EVERY_ROUTE,
    EVERYBODY,
    FORM,
    GOOD,
    JSON,
    SPARE,
    WALLET,
    Desk,
    Served,
    running_everything,
    served,
)
from tests.adversarial.desk import transfer
from tests.adversarial.memory_search import find_in, forms_of_text
from tests.adversarial.raw_http import Reply, exchange
from tests.signing_client import SignedCall
from vaultsigner.dev.records import Record
from vaultsigner.server.route import Route

ON_PURPOSE = {
    ("intent", "intent"): "what was decided on, and is signed where policy allows it",
    (
        "control suspend",
        "details.reason",
    ): "why somebody suspended something: free text, for those who resume it",
    ("control resume", "details.reason"): "the same, when it is resumed",
    (
        "control approval",
        "details.comment",
    ): "what somebody says to their vote: free text, for those who review it",
}
"""The only members of records that hold what a caller typed, and why."""
REPEATED = ("wallet_not_found",)
"""The only errors that do: the old service's words name the wallet that was asked for, and its clients know them."""
IDS = [f"{route.method} {route.operation}" for route in EVERY_ROUTE]
WORDS, SIGNS = CANARIES["key"], CANARIES["Vault token"]
"""One that is letters and digits alone, as names are, and one with punctuation."""


@dataclass
class Target:
    """The desk, and what was written since the last look."""

    desk: Desk
    _seen: dict[Path, int] = field(default_factory=dict)

    def send(self, call: SignedCall, who: str) -> Reply | None:
        """One exchange; None: the connection was closed on us."""
        try:
            data = self.desk.dressed(call, who).as_bytes("desk")
        except UnicodeEncodeError:
            return None
        try:
            return exchange(self.desk.world.url, data)
        except (EOFError, ConnectionError):
            return None

    def new(self) -> tuple[list[Record], bytes]:
        """The records since the last look, and everything else that was written."""
        records: list[Record] = []
        rest = b""
        for path in self.desk.world.installation.directory.rglob("*"):
            if not path.is_file() or path.parent.name == "state":
                continue
            data = path.read_bytes()[self._seen.get(path, 0) :]
            self._seen[path] = self._seen.get(path, 0) + len(data)
            if path.suffix == ".jsonl":
                records += [json.loads(line) for line in data.splitlines()]
            else:
                rest += data
        return records, rest


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running_everything(tmp_path_factory.mktemp("everywhere")) as desk:
        yield Target(desk)


def places(record: Any, needles: dict[str, bytes], path: str = "") -> Iterator[str]:
    """The members of a record, or of a part of one, that hold a needle in their names or values."""
    if isinstance(record, dict):
        for name, value in record.items():
            within = f"{path}.{name}" if path else name
            if find_in(name.encode(), needles):
                yield f"{within} (its name)"
            yield from places(value, needles, within)
    elif isinstance(record, list):
        for value in record:
            yield from places(value, needles, path)
    elif find_in(str(record).encode("utf-8", "surrogatepass"), needles):
        yield path


def kind_of(record: Record) -> str:
    """Its kind; of what happened to the service, which event."""
    return f"control {record['event']}" if record["kind"] == "control" else str(record["kind"])


def unexpected(record: Record, needles: dict[str, bytes]) -> set[str]:
    """Where a record holds a needle, though it should not."""
    kind = kind_of(record)
    return {
        f"{kind}: {place}"
        for place in places(record, needles)
        if not any(
            kind == known and (place == member or place.startswith(f"{member}."))
            for known, member in ON_PURPOSE
        )
    }


def spoiled_paths(good: Served, canary: str) -> Iterator[SignedCall]:
    """The canary in each variable of the path, alone and behind what is good, and behind the path."""
    for name, value in good.variables.items():
        for other in (canary, f"{value}{canary}", f"{canary}/{value}"):
            yield good.call(variables={name: other})
    call = good.call()
    yield replace(call, path=f"{call.path}/{quote(canary, safe='')}")


def spoiled_queries(good: Served, canary: str) -> Iterator[SignedCall]:
    """As the name and as the value of a parameter: one that is known, one that is not, and those of signatures."""
    known = {*good.query, *good.route.documentation.query}
    for name in sorted({*known, "x", "sync", "timestamp", "recvWindow", "signature", "apiKey"}):
        yield good.call(query={**good.query, name: canary})
    yield good.call(query={**good.query, canary: "1"})
    call = good.call()
    text = quote(canary, safe="")
    for query in (text, f"&&{text}=", f"x={text}%", f"x=%00{text}", f"{call.query}&x={text}&x={text}"):
        yield replace(call, query=query)


def spoiled_headers(good: Served, canary: str) -> Iterator[SignedCall]:
    """In each header that means something to somebody, and as the name of one."""
    call = good.call()
    for line in HEADERS:
        name, _, value = line.format(canary).partition(":")
        yield replace(call, headers={**call.headers, name: value.strip()})
    yield replace(call, headers={**call.headers, "X-Vaultsigner-Approval": canary})
    yield replace(call, headers={**call.headers, "X-Mp-Open-Api-Token": canary, "signature": canary})


def spoiled_bodies(good: Served, canary: str) -> Iterator[SignedCall]:
    """Documents, forms, and what is neither; as what it is, and as something else."""
    document = {} if good.document is None else good.document
    for body in with_canary(document, canary):
        yield good.call(document=body)
    call, text = good.call(), quote(canary, safe="")
    query = call.query
    for form in (f"{query}&x={text}", f"{text}=1", text, f"{query}&{query}&x={text}", f"x={text}&y=%"):
        yield replace(call, query="", headers={"Content-Type": FORM}, body=form.encode())
    yield replace(call, headers={"Content-Type": FORM}, body=f"x={text}".encode())
    for kind in ("", "text/plain", "multipart/form-data; boundary=x", f"{JSON}; charset={canary}", canary):
        headers = {"Content-Type": kind} if kind else {}
        yield replace(call, headers=headers, body=json.dumps({"x": canary}).encode())


def broken_bodies(good: Served, canary: str) -> Iterator[SignedCall]:
    """What only looks like JSON."""
    call = good.call()
    for template in BROKEN:
        body = template.format(canary).encode("utf-8", "surrogatepass")
        yield replace(call, headers={"Content-Type": JSON}, body=body)
    yield replace(call, headers={"Content-Type": JSON}, body=canary.encode() + b"\xff")


def spoiled(good: Served, *, new: bool) -> Iterator[tuple[str, SignedCall]]:
    """Every place: with words by the one who is served there, and with signs by everybody in turn.

    Args:
        new: whether no route before it reads the same body; otherwise one canary will do there.
    """
    everybody = cycle((*GOOD, *EVERYBODY))
    for attack in (spoiled_paths, spoiled_queries, spoiled_bodies):
        yield from ((good.who, call) for call in attack(good, WORDS))
        if new or attack is not spoiled_bodies:
            yield from ((next(everybody), call) for call in attack(good, SIGNS))
    canaries = cycle(CANARIES.values())
    for attack in (spoiled_headers, broken_bodies):
        yield from ((next(everybody), call) for call in attack(good, next(canaries)))


def is_error(reply: Reply) -> bool:
    """Whether it is one of ours, that repeats nothing: what an exchange says is handed on as it came."""
    if reply.status < 400:
        return False
    try:
        return reply.document.get("code") not in REPEATED
    except ValueError:
        return True


def is_new(route: Route) -> bool:
    """Whether it is the first to read this kind of body."""
    kind = route.documentation.request
    return kind is not None and route is next(
        each for each in EVERY_ROUTE if each.documentation.request == kind
    )


@pytest.mark.parametrize("route", EVERY_ROUTE, ids=IDS)
def test_in_every_place_of_a_request(target: Target, route: Route) -> None:
    target.new()
    good = served(target.desk, route)
    reached = target.send(good.call(), good.who)
    records, _ = target.new()
    assert reached is not None
    assert reached.status < 400 or "dispatch" in {record["kind"] for record in records}, reached.raw
    heard = set()
    for who, call in spoiled(good, new=is_new(route)):
        reply = target.send(call, who)
        if reply is not None:
            heard.add(who)
            assert not is_error(reply) or find_in(reply.raw, NEEDLES) == set(), (who, call, reply.raw)
        if route.operation.startswith("suspension."):
            target.desk.resume_everything()
    records, rest = target.new()
    assert set().union(*(unexpected(record, NEEDLES) for record in records)) == set()
    assert find_in(rest, NEEDLES) == set()
    assert heard == {good.who, *EVERYBODY}
    if route.documentation.authenticated and good.who != "partner":
        known = {record["principal"]["name"] for record in records if record.get("principal")}
        assert len(known) == len(GOOD), "somebody's good credentials were never taken"


@pytest.mark.parametrize(("kind", "member"), ON_PURPOSE, ids=[kind for kind, _ in ON_PURPOSE])
def test_what_stands_on_the_record_on_purpose_is_there_and_nowhere_else(
    target: Target, kind: str, member: str
) -> None:
    """So that the table has nothing that is not so, and the search is known to look at the right places."""
    text, desk = "SEEN-4711", target.desk
    suspension = {"kind": "client", "name": SPARE, "reason": text}
    wanted = {
        "intent": ("tim", "/api/transfer/sign", transfer(WALLET, symbol=text)),
        "control suspend": ("olga", "/api/suspensions", suspension),
        "control resume": ("olga", "/api/suspensions", suspension),
        "control approval": ("olga", f"/api/approvals/{desk.waiting()}/approve", {"comment": text}),
    }
    target.new()
    who, path, document = wanted[kind]
    reply = target.send(
        SignedCall("POST", path, "", {"Content-Type": JSON}, json.dumps(document).encode()), who
    )
    assert reply is not None
    assert reply.status == 200, reply.raw
    desk.resume_everything()
    records, rest = target.new()
    needles = {"text": text.encode()}
    found = {(kind_of(record), place) for record in records for place in places(record, needles)}
    assert any(each == kind and place.startswith(member) for each, place in found), found
    assert set().union(*(unexpected(record, needles) for record in records)) == set()
    assert find_in(rest, needles) == set()


SHOWN_BY_CALLERS = ("signature", "timestamp", "listenKey")


@pytest.mark.parametrize("route", EVERY_ROUTE, ids=IDS)
def test_what_callers_show_of_themselves_is_in_no_record(target: Target, route: Route) -> None:
    """Signatures, API keys, tokens, the times and windows of signed requests, the keys of streams."""
    target.new()
    good = served(target.desk, route)
    for who in dict.fromkeys((good.who, *EVERYBODY)):
        call = target.desk.dressed(good.call(), who)
        assert exchange(target.desk.world.url, call.as_bytes("desk")).status > 0
        shown = [value for name, value in call.headers.items() if name not in ("Content-Type", "Host")]
        shown += [value for name, value in parse_qsl(call.query) if name in SHOWN_BY_CALLERS]
        needles = {form: needle for text in shown for form, needle in forms_of_text(text, text).items()}
        needles["recvWindow"] = b"recvWindow"
        target.desk.resume_everything()
        records, rest = target.new()
        assert records or not route.documentation.authenticated
        assert find_in(json.dumps(records).encode(), needles) == set(), who
        assert find_in(rest, needles) == set(), who
