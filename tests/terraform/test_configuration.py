"""terraform/ as it stands in the repository: its form, its own tests, and what others' rules say of it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.terraform.terraform import ROOT, SOURCE, Terraform

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    return Terraform(tmp_path_factory.mktemp("configuration") / "terraform")


def test_it_is_formatted(terraform: Terraform) -> None:
    terraform.run("fmt", "-check", "-diff", "-recursive")


def test_it_is_valid(terraform: Terraform) -> None:
    assert json.loads(terraform.run("validate", "-json"))["diagnostics"] == []


def test_its_own_tests_pass(terraform: Terraform) -> None:
    assert ", 0 failed." in terraform.run("test", "-no-color")


def test_the_registry_is_valid(terraform: Terraform) -> None:
    registry = Terraform(terraform.directory.parent / "for-registry", root="registry")
    assert json.loads(registry.run("validate", "-json"))["diagnostics"] == []


def test_every_variable_and_output_is_explained() -> None:
    for file in SOURCE.rglob("*.tf"):
        for block in file.read_text().split("\n}\n"):
            kind = block.lstrip().partition(" ")[0]
            if kind in ("variable", "output"):
                assert "\n  description " in block, f"{file}: {block.splitlines()[0]}"
            if kind == "variable":
                assert "\n  type " in block, f"{file}: {block.splitlines()[0]}"


def test_checkov_finds_nothing(tmp_path: Path) -> None:
    if not CHECKOV.exists():
        pytest.skip("needs .venv-checkov, which `./run test` makes")
    # In a directory of its own: it may leave files where it runs.
    done = subprocess.run(
        [
            CHECKOV, "--directory", SOURCE, "--framework", "terraform", "--var-file", SOURCE / "example.tfvars",
            "--skip-download", "--output", "json",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["summary"]["passed"] > 250, done.stderr
    assert [f"{each['check_id']} {each['resource']}" for each in report["results"]["failed_checks"]] == []
    assert report["results"]["parsing_errors"] == []


def test_what_checkov_is_told_to_leave_has_a_reason() -> None:
    told = [
        line
        for file in SOURCE.rglob("*.tf")
        for line in file.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert told
    assert all(len(line.split(":", 2)[2]) > 25 for line in told)
