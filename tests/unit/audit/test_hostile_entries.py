"""Every class of records, with hostile text in every field that others than ourselves fill: one short line each, of which no
terminal takes anything for a command.
"""

import csv
import inspect
import json
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from io import StringIO
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from vaultsigner.audit import checkpoint_entry, entries, exchange_entries
from vaultsigner.audit.chain import Head, seal, verify_lines
from vaultsigner.audit.entries import Entry
from vaultsigner.cli.audit.rows import csv_lines, row_of, table_line
from vaultsigner.domain.checkpoints import KEY_NAME, Checkpoint, SignedCheckpoint
from vaultsigner.domain.signed_notes import VerifierKey, sign_note

CHAIN = "00112233445566ff"
LONGEST_LINE = 80_000
"""In bytes: with some tens of texts of a megabyte each. Without bounds the first one alone would be longer."""
OURS = frozenset(
    {
        *("request_id", "ip", "operation", "code", "policy", "event", "rule", "kind", "scheme", "name"),
        *(
            "body_sha256",
            "signed_sha256",
            "payload_sha256",
            "transaction_hash",
            "chain",
            "head",
            "client_certificate",
        ),
    }
)
"""What no caller, node or exchange has a say in: made here, or a name of the configuration."""
HOSTILE = (
    *(
        "\x00",
        "\x1b[2J\x1b]0;title\x07",
        "\x9b31m",
        "a\r\nb",
        "\u2028\u2029",
        "\x7f\x08\x08",
        "\ud800",
        "x\udfff",
    ),
    *("\u202eecilA\u2066\u200b", "\ufeff", '","kind":"intent","x":"', "\\u001b", "=1+1", "\U0001f600" * 3),
    *("x" * 1_000_000, "\x1b" * 100_000, "\ud800" * 100_000, "\U0001f600" * 100_000),
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=40))
PLAIN = st.text("abc:.-_0123456789", max_size=40)
NUMBERS = st.integers(-(2**63), 2**64 - 1)
DEEP: Any = "\x1b[2J"
for _ in range(60):
    DEEP = [{"\u202e": DEEP}]
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.just(10**4000), st.just(DEEP)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def signed() -> SignedCheckpoint:
    """Custody's own words, which are checked before they are recorded."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    checkpoint = Checkpoint(CHAIN, 7, bytes(32), "ab" * 32, 1)
    verifier = VerifierKey(KEY_NAME, key.public_key().public_bytes_raw())
    return SignedCheckpoint(
        checkpoint, sign_note(checkpoint.text(), verifier, key.sign(checkpoint.text().encode()))
    )


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    int: NUMBERS,
    bool: st.booleans(),
    type(None): st.none(),
    bytes: st.binary(max_size=32),
    SignedCheckpoint: st.just(signed()),
}


def valued(annotation: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Anything that a field of this type may hold.

    Raises:
        TypeError: fields of the type are new here.
    """
    annotation = getattr(annotation, "__supertype__", annotation)
    if annotation is str:
        return PLAIN if name in OURS else TEXTS
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if is_dataclass(annotation) and isinstance(annotation, type):
        return built(annotation)
    return composed(get_origin(annotation), get_args(annotation), name)


def composed(origin: Any, arguments: tuple[Any, ...], name: str) -> st.SearchStrategy[Any]:
    """The same of a type that is made of others."""
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        any_json = any(get_origin(each) is list for each in arguments)
        return VALUES if any_json else st.one_of([valued(each, name) for each in arguments])
    if origin is tuple:
        return st.lists(valued(arguments[0], name), max_size=40).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        keys, values = (valued(each, name) for each in arguments)
        return st.dictionaries(keys, values, max_size=4)
    raise TypeError(f"{name}: {origin} of {arguments}")


def built(made: type) -> st.SearchStrategy[Any]:
    """Any object of a class, by the annotations of what it is made from. Limits of policy are no part of a record."""
    hints = get_type_hints(made)
    names = [name for name in inspect.signature(made).parameters if name not in ("limits", "approvals")]
    return st.builds(made, **{name: valued(hints[name], name) for name in names})


def entry_classes() -> list[type]:
    """Every class of records, as the modules have them."""
    found = {
        each
        for module in (entries, exchange_entries, checkpoint_entry)
        for each in vars(module).values()
        if isinstance(each, type) and is_dataclass(each) and hasattr(each, "members")
    }
    return sorted(found, key=lambda each: each.__name__)


def test_all_kinds_of_records_are_among_them() -> None:
    kinds = {getattr(each, "kind", None) for each in entry_classes()}
    assert kinds == {"request", "intent", "outcome", "dispatch", "control", "checkpoint"}


@pytest.mark.parametrize("made", entry_classes(), ids=lambda made: str(made.__name__))
@settings(max_examples=50, phases=(Phase.explicit, Phase.generate))
@given(data=st.data())
def test_one_short_line_that_verifies_and_moves_no_cursor(made: type, data: st.DataObject) -> None:
    entry: Entry = data.draw(built(made))
    line, head = seal(entry.members(), Head(CHAIN), 1)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])
    assert len(line) < LONGEST_LINE
    assert verify_lines([line]) == head
    record = json.loads(line)
    json.dumps(record, ensure_ascii=False).encode("utf-8")  # A lone surrogate would fail here.
    text = line.decode().rstrip("\n")
    shown = table_line(row_of(text))
    assert shown.replace("\x1b[31m", "").replace("\x1b[32m", "").replace("\x1b[0m", "").isprintable()
    rows = list(csv_lines(iter([text])))
    assert all(row.removesuffix("\n").isprintable() for row in rows)
    cells = list(csv.reader(StringIO("".join(rows))))
    assert [len(row) for row in cells] == [len(cells[0])] * 2
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells[1])
