"""The Dockerfile as a test reads it: its stages, and their steps on an ordinary directory instead of an image."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PLACES = ("/opt/vaultsigner", "/opt/build", "/dist", "/src", "/parts", "/srv/vaultsigner")


@dataclass(frozen=True)
class Step:
    """One instruction and its words, its lines joined."""

    name: str
    words: str


@dataclass
class Stage:
    """One image of several."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """The words of all its steps of one kind."""
        return [step.words for step in self.steps if step.name == name]

    def environment(self) -> dict[str, str]:
        """What its ENV steps set."""
        return _pairs(" ".join(self.all("ENV")))


@dataclass(frozen=True)
class Dockerfile:
    """What it says before its first stage, and the stages in order."""

    arguments: Mapping[str, str]
    stages: Sequence[Stage]

    def stage(self, name: str) -> Stage:
        """The one of that name; the last one has none."""
        return next(stage for stage in self.stages if stage.name == name)


def _pairs(words: str) -> dict[str, str]:
    """`NAME=value NAME=value`."""
    return {match[1]: match[2] for match in re.finditer(r"(\w+)=(\S+)", words)}


def read(text: str) -> Dockerfile:
    """Its steps, comments left away."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, words = line.partition(" ")
        if name == "ARG" and not stages:
            argument, _, value = words.partition("=")
            arguments[argument] = value
        elif name == "FROM":
            base, _, stage = words.partition(" AS ")
            stages.append(Stage(base, stage))
        else:
            stages[-1].steps.append(Step(name, words.strip()))
    return Dockerfile(arguments, stages)


class Builder:
    """Carries out COPY and RUN steps below a directory, RUN as an ordinary user.

    Args:
        root: stands for the image's root.
        user: whose rights the steps have, where this process may give its own up.
    """

    def __init__(self, root: Path, user: int) -> None:
        self.root = root
        self.user = user if os.geteuid() == 0 else None
        self.own(root)

    def own(self, path: Path) -> None:
        """Give a file or a tree to the user."""
        if self.user is None:
            return
        for each in (path, *path.rglob("*")):
            os.chown(each, self.user, self.user, follow_symlinks=False)

    def place(self, path: str) -> Path:
        """Where a path of the image is."""
        return self.root / path.lstrip("/")

    def build(self, stage: Stage, working: str = "/src") -> None:
        """Every COPY, RUN, WORKDIR and ENV of a stage, in order."""
        environment: dict[str, str] = {}
        for step in stage.steps:
            if step.name == "WORKDIR":
                working = step.words
                self.place(working).mkdir(parents=True, exist_ok=True)
                self.own(self.place(working))
            elif step.name == "ENV":
                environment |= _pairs(step.words)
            elif step.name == "COPY":
                self.copy(step.words, working)
            elif step.name == "RUN":
                self.run(step.words, working, environment)

    def copy(self, words: str, working: str) -> None:
        """From the checkout, as .dockerignore lets it, or from another stage, which lies below the same root."""
        *sources, target = [word for word in words.split() if not word.startswith("--")]
        start = self.root if "--from=" in words else ROOT
        destination = self.place(target if target.startswith("/") else f"{working}/{target}")
        for source in sources:
            origin = start / source.lstrip("/")
            into = destination / origin.name if target.endswith("/") else destination
            into.parent.mkdir(parents=True, exist_ok=True)
            if origin.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "vendor")
                shutil.copytree(origin, into, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copyfile(origin, into)
        self.own(self.place(working))
        self.own(destination if destination.exists() else destination.parent)

    def run(self, words: str, working: str, environment: Mapping[str, str]) -> None:
        """As /bin/sh does, with the image's paths below our root."""
        command = re.sub(r"(?<![\w/.])(" + "|".join(_PLACES) + r")(?=[/\s]|$)", rf"{self.root}\1", words)
        home = self.root / "home"
        home.mkdir(exist_ok=True)
        self.own(home)
        base = f"{self.root}/bin:{Path(sys.base_prefix) / 'bin'}:{os.defpath}"
        registry = {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "NPM_", "npm_"))
        }
        variables = {**registry, **environment, "PATH": base, "HOME": str(home)}
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", command],
            cwd=self.place(working),
            env=variables,
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user is not None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}"
