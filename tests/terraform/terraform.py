"""The terraform command on a copy of terraform/, with the AWS provider that this machine has."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "terraform"
_PROVIDER = "*/hashicorp/aws/5.*"  # below the name of the host that it is from
_VARIABLE = "VAULTSIGNER_TERRAFORM_MIRROR"
_USUAL_PLACES = ("/opt", "/usr/share/terraform", "/usr/local/share/terraform", "~/.terraform.d")
_PATIENCE_SECONDS = 900


class Terraform:
    """In a directory of its own; nothing is written into the repository.

    Args:
        directory: does not exist yet.
        override: a file that is laid over the configuration, e.g. with another provider's address.
        root: the directory in terraform/ that commands are run in.
    """

    def __init__(self, directory: Path, override: str = "", root: str = ".") -> None:
        binary = shutil.which("terraform")
        mirror = provider_mirror()
        if binary is None or mirror is None:
            pytest.skip(
                f"needs terraform, and its AWS provider in a file-system mirror, whose place {_VARIABLE} may say"
            )
        self._binary = binary
        self.directory = directory
        self._root = directory / root
        shutil.copytree(SOURCE, directory, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        if override:
            (directory / "stand_in_override.tf").write_text(override)
        self.run("init", f"-plugin-dir={mirror}", "-input=false")

    def run(self, *arguments: str) -> str:
        """What it prints.

        Raises:
            AssertionError: it fails, with all that it said.
        """
        command = [self._binary, f"-chdir={self._root}", *arguments]
        with subprocess.Popen(
            command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                said, errors = process.communicate(timeout=_PATIENCE_SECONDS)
            finally:
                # Asked to end, it ends its provider as well; one that is killed leaves it behind.
                process.terminate()
        assert process.returncode == 0, f"terraform {' '.join(arguments)}:\n{said}\n{errors}"
        return said


def provider_mirror() -> Path | None:
    """The directory that `terraform init -plugin-dir` takes, if there is one."""
    named = os.environ.get(_VARIABLE)
    return next(
        (place for place in ([Path(named)] if named else _candidates()) if _has_provider(place)), None
    )


def _candidates() -> Iterator[Path]:
    for place in map(Path, map(os.path.expanduser, _USUAL_PLACES)):
        yield from (place, *_directories_in([place]), *_directories_in(_directories_in([place])))


def _directories_in(places: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        try:
            found += sorted(each for each in place.iterdir() if each.is_dir())
        except OSError:
            continue
    return found


def _has_provider(place: Path) -> bool:
    return any(place.glob(_PROVIDER))


def _environment() -> dict[str, str]:
    """Nothing of this machine's own AWS accounts or Terraform settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    return {
        **kept,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
