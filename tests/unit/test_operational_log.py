"""The operational log: one line an event, and never a secret, whoever logs it and however."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from vaultsigner.operational_log import LogFormat, configure_log

CANARY = "4f3edf983ac636a65a842ce7c78d9aa7"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=["json", "console"])
def stream(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    log_format: LogFormat = request.param
    configure_log(log_format, stream=stream)
    return stream


def fail(secret: str) -> None:
    raise ValueError(f"cannot use {secret}")


def json_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_machine_gets_one_json_line_an_event() -> None:
    stream = io.StringIO()
    configure_log(stream=stream)
    structlog.get_logger().info(
        "listening",
        url="http://127.0.0.1:8000",
        workers=2,
        config=Path("config.yml"),
        found={"wallets": [1, None]},
    )
    (line,) = json_lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "listening",
        "level": "info",
        "url": "http://127.0.0.1:8000",
        "workers": 2,
        "config": "config.yml",
        "found": {"wallets": [1, None]},
    }


def test_a_person_gets_text() -> None:
    stream = Terminal()
    configure_log(stream=stream)
    structlog.get_logger().info("listening", url="http://127.0.0.1:8000")
    assert "listening" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_what_is_below_the_level_is_not_logged() -> None:
    stream = io.StringIO()
    configure_log("json", level="warning", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in json_lines(stream)] == ["loud"]


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Authorization",
        "X-Vault-Token",
        "access_token",
        "client_secret",
        "private-key",
        "MNEMONIC",
    ],
)
def test_a_member_with_a_secrets_name_is_left_out_at_any_depth(stream: io.StringIO, name: str) -> None:
    structlog.get_logger().info(
        "told", **{name: CANARY}, headers={name: CANARY}, calls=[{"deep": {name: CANARY}}]
    )
    assert "told" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_an_exceptions_text_and_variables_are_not_logged(stream: io.StringIO) -> None:
    try:
        fail(CANARY)
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError" in stream.getvalue()
    assert "test_operational_log.py:" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_an_objects_representation_is_not_logged(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        "told", value=ValueError(CANARY), raw=CANARY.encode(), many=[bytearray(CANARY.encode())]
    )
    assert "<ValueError>" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_of_a_librarys_message_only_the_template_is_logged(stream: io.StringIO) -> None:
    try:
        fail(CANARY)
    except ValueError:
        logging.getLogger("urllib3").exception("GET %s failed", CANARY)
    assert "GET %s failed" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_hostile_text_can_neither_forge_a_line_nor_steer_the_terminal(stream: io.StringIO) -> None:
    hostile = "\x1b[2Jgone\n2026 [critical] forged\u2028\u202e"
    structlog.get_logger().info(hostile, reason=hostile, short="\x1b[2J")
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert not any(character in written for character in "\x1b\u2028\u202e")
