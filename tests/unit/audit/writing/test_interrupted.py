"""Which requests a crash left unfinished, as the chain's end tells it."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.files.compression import compress
from vaultsigner.audit.files.line_files import find_files
from vaultsigner.audit.writing import interrupted as interrupted_requests
from vaultsigner.audit.writing.interrupted import MOST_TOLD, TO_BE_SENT, find_interrupted, interrupted
from vaultsigner.domain.names import JsonValue

CHAIN = "00112233445566ff"
NOON_US = 1_795_262_400_000_000
MINUTE_US = 60_000_000
Members = dict[str, JsonValue]


def control(event: str, **details: JsonValue) -> Members:
    return {"kind": "control", "event": event, "details": details}


def intent(name: str, operation: str, effect: str = "allow") -> Members:
    return {
        "kind": "intent",
        "request_id": name,
        "operation": operation,
        "decision": {"effect": effect},
    }


def outcome(name: str, operation: str, code: str = "ok", reason: str | None = None) -> Members:
    return {
        **{"kind": "outcome", "request_id": name, "operation": operation},
        **{"code": code, "reason": reason},
    }


def dispatch(name: str, operation: str, result: str = "accepted") -> Members:
    return {"kind": "dispatch", "request_id": name, "operation": operation, "result": result}


CHECKPOINT: Members = {"kind": "checkpoint", "tree_size": 3}
START, STOP = control("start"), control("stop")


def lines(records: Iterable[Members], apart_us: int = 1) -> list[bytes]:
    """A chain of them, each so much later than the one before."""
    head, found = Head(CHAIN), []
    for number, members in enumerate(records):
        line, head = seal(members, head, NOON_US + number * apart_us)
        found.append(line)
    return found


def told(*records: Members, apart_us: int = 1) -> list[tuple[str, str]] | None:
    """What is missing of which request; None: nothing was interrupted."""
    found = interrupted(reversed(lines(records, apart_us)))
    return None if found is None else [(each.request_id, each.missing) for each in found.requests]


B, S, X, U = "transfer.broadcast", "transfer.sign", "exchange.order", "open_api.user_data"


@pytest.mark.parametrize(
    ("records", "missing"),
    [
        ([intent("a", S)], "outcome"),
        ([intent("a", S, "deny")], None),
        ([intent("a", S), outcome("a", S)], None),
        ([intent("a", B), outcome("a", B)], "dispatch"),
        ([intent("a", B), outcome("a", B), outcome("a", B, "state_unavailable")], None),
        ([intent("a", B), outcome("a", B), dispatch("a", B, "unknown")], None),
        ([intent("a", B), outcome("a", B, "approval_required", "approval 1: 0 of 1")], None),
        # A repetition of a broadcast sends the bytes that were signed before.
        ([intent("a", B), dispatch("a", B)], None),
        ([intent("a", X), outcome("a", X)], None),
        ([intent("a", X), outcome("a", X, reason=TO_BE_SENT)], "dispatch"),
        ([intent("a", X), outcome("a", X, reason=TO_BE_SENT), dispatch("a", X, "refused")], None),
        # Sent again, with the time as the exchange tells it.
        (
            [
                *(intent("a", X), outcome("a", X, reason=TO_BE_SENT), dispatch("a", X, "refused")),
                outcome("a", X, reason=TO_BE_SENT),
            ],
            "dispatch",
        ),
        ([dispatch("a", "exchange.public")], None),
        ([outcome("a", "wallet.resync")], None),
        ([intent("a", U), outcome("a", U, reason=TO_BE_SENT)], "dispatch"),
        ([intent("a", U), outcome("a", U, reason=TO_BE_SENT), dispatch("a", U)], "outcome"),
        ([intent("a", U), outcome("a", U, reason=TO_BE_SENT), dispatch("a", U, "refused")], None),
        (
            [
                *(intent("a", U), outcome("a", U, reason=TO_BE_SENT), dispatch("a", U)),
                outcome("a", U, reason="decrypted"),
            ],
            None,
        ),
    ],
)
def test_what_is_missing_of_a_request(records: list[Members], missing: str | None) -> None:
    assert told(START, *records) == ([] if missing is None else [("a", missing)])
    assert told(START, *records, CHECKPOINT, outcome("b", "wallet.list")) == told(START, *records)
    assert told(START, *records, STOP) is None


def test_a_crash_is_told_even_where_nothing_was_under_way() -> None:
    assert told(START) == told(START, CHECKPOINT) == []
    assert told(START, outcome("a", S)) == []


def test_what_others_write_into_a_chain_at_rest_is_no_life() -> None:
    """The command line suspends without a request; another server signs the last checkpoint."""
    at_rest = [CHECKPOINT, control("suspend", kind="all"), control("repaired", torn_bytes=7)]
    assert told() is told(*at_rest) is told(START, intent("a", S), STOP, *at_rest) is None
    assert told(START, intent("a", S), *at_rest) == [("a", "outcome")]
    assert told(intent("a", S), *at_rest, apart_us=60 * MINUTE_US) == [("a", "outcome")]


def test_only_the_last_life_counts_and_is_told_once() -> None:
    assert told(START, intent("a", S), control("interrupted"), START, intent("b", S)) == [("b", "outcome")]
    assert told(START, intent("a", S), control("interrupted")) is None
    assert told(START, intent("a", S), START) == []


def test_ten_minutes_are_looked_at_and_the_order_is_the_chains() -> None:
    requests = [intent(str(number), S) for number in range(30)]
    assert told(*requests, apart_us=MINUTE_US) == [(str(number), "outcome") for number in range(19, 30)]


def test_only_so_many_are_named() -> None:
    records = [intent(str(number), S) for number in range(MOST_TOLD + 5)]
    found = interrupted(reversed(lines(records)))
    assert found is not None
    details: Any = found.details()
    assert (len(details["requests"]), details["more"]) == (MOST_TOLD, 5)
    assert details["requests"][-1] == {
        **{"request_id": str(MOST_TOLD + 4), "operation": S},
        "missing": "outcome",
    }


def test_lines_that_are_no_records_are_passed_over() -> None:
    whole = lines([START, intent("a", S)])
    odd = [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b'{"kind":"control"}\n',
        b'{"kind":"intent","time":7}\n',
        b"[" * 9999,
    ]
    odd += [b'{"kind":"intent","time":"2026-11-21T12:00:00.000000Z"}\n', b'{"kind":[],"time":""}\n']
    found = interrupted([*odd, *reversed(whole)])
    assert found is not None
    assert [each.request_id for each in found.requests] == ["a"]


def test_files_are_read_from_the_end_of_the_last_one(tmp_path: Path) -> None:
    first, second, third = (lines([START, *(intent(n, S) for n in names)]) for names in ("ab", "cd", "ef"))
    (tmp_path / "2026-11-20.jsonl").write_bytes(b"".join(first[1:]))
    (tmp_path / "2026-11-21.jsonl.gz").write_bytes(gzip.compress(b"".join(second[1:])))
    (tmp_path / "2026-11-21.0002.jsonl").write_bytes(b"".join(third[1:]) + b'{"half a line')
    (tmp_path / "2026-11-21.0003.jsonl").write_bytes(b"")
    found = find_interrupted(tmp_path)
    assert found is not None
    assert [each.request_id for each in found.requests] == list("abcdef")
    (tmp_path / "2026-11-21.jsonl.gz").write_bytes(gzip.compress(b"".join(second))[:-12])
    found = find_interrupted(tmp_path)
    assert found is not None
    assert [each.request_id for each in found.requests][-2:] == ["e", "f"]


def test_a_file_that_is_compressed_while_later_ones_are_read_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorder that was just opened compresses what the life before left closed."""
    for day, names in (("20", "ab"), ("21", "cd")):
        whole = lines([START, *(intent(name, S) for name in names)])
        (tmp_path / f"2026-11-{day}.jsonl").write_bytes(b"".join(whole[1:]))

    def found_and_compressed(directory: Path) -> Any:
        found = find_files(directory)
        compress(directory / "2026-11-20.jsonl")
        return found

    monkeypatch.setattr(interrupted_requests, "find_files", found_and_compressed)
    found = find_interrupted(tmp_path)
    assert found is not None
    assert [each.request_id for each in found.requests] == list("abcd")
    assert [path.suffix for path in sorted(tmp_path.iterdir())] == [".gz", ".jsonl"]
