"""docs/client.md and the README: their examples run, the tables name what there is."""

import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import vaultsigner.client
from tests.adversarial.desk import RECEIVER
from tests.integration.client.desk import CALLERS, Desk, person
from vaultsigner.client import HmacKey, SigningClient, SigningClientError
from vaultsigner.client.operations import Operations

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "client.md").read_text()


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def run_examples(of: list[str], desk: Desk, directory: Path) -> None:
    """As they stand, but for the names of what they ask for."""
    bot = CALLERS["hmac"]
    assert isinstance(bot, HmacKey)
    assert isinstance(bot.secret, str)
    (directory / "bot-1").write_text(bot.secret + "\n")
    (directory / "sam").write_text("sam-2" * 3)
    there = {
        "https://vaultsigner.example.com": desk.url,
        "vs_9f2c": bot.api_key,
        "/run/secrets": str(directory),
        '"sam"': '"sam-2"',
        "tbnb1…": RECEIVER,
    }
    namespace: dict[str, object] = {"__name__": "documented"}
    with agreeing(desk):
        for example in of:
            text = functools.reduce(lambda read, pair: read.replace(*pair), there.items(), example)
            exec(compile(text, "example", "exec"), namespace)  # noqa: S102 - our own pages


@contextmanager
def agreeing(desk: Desk) -> Iterator[None]:
    """Ann approves whatever comes."""
    stop = threading.Event()

    def approve() -> None:
        with SigningClient(desk.url, person("ann")) as ann:
            while not stop.wait(0.1):
                for waiting in ann.approvals():
                    if waiting.may_approve:
                        ann.approve(waiting.id)

    thread = threading.Thread(target=approve)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_every_example_runs_as_it_stands(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(examples(PAGE)) == 4
    before = len(desk.world.node.chain.executed)
    run_examples(examples(PAGE), desk, tmp_path)
    said = capsys.readouterr().out
    assert "Principal(type='client', name='bot-hmac', scheme='hmac')" in said
    assert "waits for 1 of ('user:ann', 'user:bob')" in said
    assert "True rule trade allows" in said
    assert len(desk.world.node.chain.executed) == before + 2


def test_the_readme_s_example_runs_as_it_stands(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section = (ROOT / "README.md").read_text().partition("## From Python")[2].partition("\n## ")[0]
    before = len(desk.world.node.chain.executed)
    run_examples(examples(section), desk, tmp_path)
    assert "Decision(rule=" in capsys.readouterr().out
    assert len(desk.world.node.chain.executed) == before + 1


def test_the_tables_name_every_method_and_every_error() -> None:
    words = set(re.findall(r"[A-Za-z_]+", PAGE))
    methods = {name for name in vars(Operations) if not name.startswith("_")} | {"audit_csv", "audit_live"}
    by_kind = {
        name
        for name in methods
        if re.fullmatch(r"(sign|broadcast)_(order|cancel_order|transfer|freeze|unfreeze|vote)", name)
    }
    assert len(by_kind) == 12
    assert methods - by_kind - words == set()
    errors = {
        name
        for name in vaultsigner.client.__all__
        if isinstance(getattr(vaultsigner.client, name), type)
        and issubclass(getattr(vaultsigner.client, name), SigningClientError)
    }
    assert errors - words == set()


def test_everything_that_is_public_is_there() -> None:
    assert vaultsigner.client.__all__ == sorted(vaultsigner.client.__all__)
    assert {name for name in vaultsigner.client.__all__ if not hasattr(vaultsigner.client, name)} == set()
