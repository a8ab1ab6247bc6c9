"""What the Dockerfile promises: nothing that can move, nobody who may do much."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.dockerfile import ROOT, read

DOCKERFILE = read((ROOT / "Dockerfile").read_text())
RUNTIME = DOCKERFILE.stages[-1]
DIGEST = re.compile(r"[a-z0-9./-]+:[A-Za-z0-9._-]+@sha256:[0-9a-f]{64}")


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [str(program), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_image_is_named_by_its_digest() -> None:
    assert DOCKERFILE.arguments
    for name, value in DOCKERFILE.arguments.items():
        assert DIGEST.fullmatch(value), name
    for stage in DOCKERFILE.stages:
        assert re.fullmatch(r"\$\{(\w+)\}", stage.base), stage.base
        assert stage.base[2:-1] in DOCKERFILE.arguments


def test_it_runs_as_nobody_in_particular() -> None:
    assert RUNTIME.all("USER") == ["10001:10001"]
    names = [step.name for step in RUNTIME.steps]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "USER" not in names[names.index("ENTRYPOINT") :]


def test_nothing_needs_a_shell() -> None:
    """The words of a list are a program's arguments; anything else goes through /bin/sh."""
    for name in ("ENTRYPOINT", "CMD"):
        assert all(words.startswith("[") for words in RUNTIME.all(name))
    (check,) = RUNTIME.all("HEALTHCHECK")
    assert check.endswith('CMD ["vaultsigner", "healthcheck"]')
    assert RUNTIME.all("STOPSIGNAL") == ["SIGTERM"]


def test_only_the_build_stage_fetches_anything_and_each_package_is_checked() -> None:
    for stage in DOCKERFILE.stages:
        for words in stage.all("RUN"):
            if "pip install" in words:
                assert stage.name == "build"
                assert "--require-hashes" in words or "--no-index" in words, words
            assert not re.search(r"\b(curl|wget|apt-get|ADD)\b", words)
    assert RUNTIME.all("COPY") == [
        "--from=build /opt/vaultsigner /opt/vaultsigner",
        "policies /srv/vaultsigner/policies",
    ]


def test_a_secret_that_lies_about_does_not_get_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines, "everything is left out but what is named"
    assert not any(
        re.search(r"token|secret|config/|state|audit|deploy", line) for line in lines if line.startswith("!")
    )


def test_git_is_needed_by_no_step() -> None:
    assert shutil.which("sh")
    assert not any("git" in words.split() for stage in DOCKERFILE.stages for words in stage.all("RUN"))
