"""Tab: real bash asks the program; names come from the files as they are, and nothing is ever said in the middle of a line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
CONFIG = """\
wallets:
  - {name: hot, permissions: [trade]}
  - {name: cold-2}
users: [{username: sam}, {username: ann}]
clients: [{name: bot-1}]
exchanges: [{name: main}]
open_api: [{name: mini}]
policies: rules/
"""
RULES = "version: 1\nrules:\n  - {id: desk-trades, effect: allow}\n  - {id: large, effect: deny}\n"
ASK = """\
eval "$(vaultsigner completion bash)" || exit 1
COMP_LINE=$1 COMP_POINT=${#1}
_vaultsigner_completion vaultsigner
printf '%s\\n' "${COMPREPLY[@]}"
"""
BREAKS = " \t\n\"'@><=;|&(:"


class Shell:
    """Bash in a directory with a configuration, where `vaultsigner` is this program."""

    def __init__(self, home: Path) -> None:
        self.home = home
        programs = home / "bin"
        programs.mkdir()
        program = programs / "vaultsigner"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vaultsigner "$@"\n')
        program.chmod(0o755)
        self.environment = {"PATH": f"{programs}:{os.defpath}", "PYTHONPATH": str(REPOSITORY)}

    def write(self, config: str, rules: str = RULES) -> None:
        for name, text in (("config/config.yml", config), ("rules/desk.yml", rules)):
            path = self.home / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def tab(self, line: str, breaks: str = BREAKS) -> list[str]:
        """What Tab at the end of the line offers."""
        done = subprocess.run(
            [
                shutil.which("bash") or "bash",
                "--norc",
                "-c",
                f"COMP_WORDBREAKS=$2\n{ASK}",
                "bash",
                line,
                breaks,
            ],
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path)
    made.write(CONFIG)
    return made


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vaultsigner susp", ["suspend", "suspensions"]),
        ("vaultsigner keys im", ["import"]),
        ("vaultsigner keys create ", ["hot", "cold-2"]),
        ("vaultsigner exchanges import ", ["main"]),
        ("vaultsigner open-api import m", ["mini"]),
        ("vaultsigner clients create ", ["bot-1"]),
        ("vaultsigner suspend ", ["wallet", "client", "user", "exchange", "all"]),
        ("vaultsigner suspend user ", ["sam", "ann"]),
        ("vaultsigner resume wallet c", ["cold-2"]),
        ("vaultsigner suspend all ", []),
        ("vaultsigner audit query --rule ", ["desk-trades", "large"]),
        ("vaultsigner audit query --rule=d", ["desk-trades"]),
        ("vaultsigner audit query --eff", ["--effect"]),
        ("vaultsigner policy explain --operation transfer.", ["transfer.sign", "transfer.broadcast"]),
    ],
)
def test_tab_offers_what_fits(shell: Shell, line: str, offered: list[str]) -> None:
    assert shell.tab(line) == offered


def test_bash_that_breaks_words_at_colons_gets_the_rest_alone(shell: Shell) -> None:
    assert shell.tab("vaultsigner policy explain --as user:") == ["sam", "ann"]
    assert shell.tab("vaultsigner policy explain --as us") == ["user:sam", "user:ann"]


def test_bash_that_does_not_gets_the_whole(shell: Shell) -> None:
    assert shell.tab("vaultsigner policy explain --as user:s", " \t\n") == ["user:sam"]
    assert shell.tab("vaultsigner audit query --rule=d", " \t\n") == ["--rule=desk-trades"]


def test_the_configuration_named_on_the_line_counts(shell: Shell) -> None:
    (shell.home / "other.yml").write_text("wallets: [{name: elsewhere}]")
    assert shell.tab("vaultsigner suspend --config other.yml wallet ") == ["elsewhere"]


@pytest.mark.parametrize(
    "config",
    [
        "wallets: [{name: hot",
        "wallets: 7",
        "- wallets",
        "wallets: [7, {name: 7}]",
        "\x00",
        "wallets: !!python/name:os.system x",
    ],
)
def test_a_configuration_that_cannot_be_read_offers_nothing_and_says_nothing(
    shell: Shell, config: str
) -> None:
    shell.write(config)
    assert shell.tab("vaultsigner keys create ") == []


def test_a_name_that_a_shell_would_run_is_not_offered(shell: Shell) -> None:
    shell.write(
        'wallets: [{name: "$(touch run)"}, {name: "a;b"}, {name: "*"}, {name: "--replace"}, {name: good}]'
    )
    assert shell.tab("vaultsigner keys create ") == ["good"]
    assert not (shell.home / "run").exists()


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_the_script_says_how_to_install_it(shell_name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vaultsigner", "completion", shell_name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"vaultsigner completion {shell_name}" in done.stdout
    assert "_VAULTSIGNER_COMPLETE" in done.stdout
    assert "2>/dev/null" in done.stdout.partition("_complete")[2]
    if shell_name == "zsh":  # which looks at the first line alone
        assert done.stdout.startswith("#compdef vaultsigner\n")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vaultsigner susp", {"suspend", "suspensions"}),
        ("vaultsigner suspend wallet ", {"hot", "cold-2"}),
        ("vaultsigner policy explain --as user:", {"user:sam", "user:ann"}),
        ("vaultsigner check --config con", {"config/"}),
    ],
)
def test_fish_completes(shell: Shell, line: str, offered: set[str]) -> None:
    words = f"vaultsigner completion fish | source; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", words],
        cwd=shell.home,
        env={**shell.environment, "HOME": str(shell.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [row.partition("\t") for row in done.stdout.splitlines()]
    assert {name for name, _, _ in rows} == offered
    if "suspend" in offered:  # a description with commas, whole
        assert "Stop a wallet, a client, a user, an exchange, or everything." in {told for _, _, told in rows}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_takes_the_script(shell: Shell) -> None:
    words = "autoload -Uz compinit; compinit -u -D; source <(vaultsigner completion zsh); print $_comps[vaultsigner]"
    done = subprocess.run(
        ["zsh", "-f", "-c", words],
        cwd=shell.home,
        env={**shell.environment, "HOME": str(shell.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "_vaultsigner_completion\n"


def test_words_are_taken_where_no_line_is_given(shell: Shell) -> None:
    """As click asks for them itself: scripts that were made for other programs do."""
    asked = {
        "_VAULTSIGNER_COMPLETE": "bash_complete",
        "COMP_WORDS": "vaultsigner suspend client ",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        ["vaultsigner"],
        executable=str(shell.home / "bin" / "vaultsigner"),
        cwd=shell.home,
        env=shell.environment | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == (["plain,bot-1"], "")
