"""A reviewer logs in, finds a refused transfer, opens it, has the browser verify its proof, and takes the records away as CSV."""

import csv
import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.integration.console.browser import Browser
from tests.integration.console.desk import AUDITOR, OTHER, ask, refused
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.world import World

# A server that lies: whatever it answers about a record goes through a function first.
LIE = """
const honest = window.fetch;
window.fetch = async (address, options) => {
  const response = await honest(address, options);
  if (!String(address).startsWith("/api/audit/records/")) return response;
  const answer = await response.json();
  (%s)(answer);
  return new Response(JSON.stringify(answer), {status: 200});
};
"""
LIES = {
    "another amount in the line": (
        "(a) => { a.line = a.line.replace('policy_denied', 'policy_agreed') }",
        "was altered",
    ),
    "a proof for another record": ("(a) => { a.proof.seq += 1 }", "for another record"),
    "another record of the same request": (
        "(a) => { a.line = JSON.stringify(a.related.find((each) => each.seq !== a.record.seq)) }",
        "for another record",
    ),
    "another path": ("(a) => { a.proof.path[0] = '00'.repeat(32) }", "do not lead to the root"),
    "no path": ("(a) => { a.proof.path = [] }", "do not lead to the root"),
    "another root": ("(a) => { a.proof.root = '00'.repeat(32) }", "do not lead to the root"),
    "a checkpoint of another chain": (
        "(a) => { a.checkpoint = a.checkpoint.replace(a.proof.chain, 'ffffffffffffffff') }",
        "for another tree",
    ),
    "another time in the checkpoint": (
        "(a) => { a.checkpoint = a.checkpoint.replace(/time 20../, 'time 1999') }",
        "None of the keys",
    ),
    "another key": (
        "(a) => { const [n, i, ...k] = a.keys[0].split('+'); a.keys = [`${n}+00000000+${k.join('+')}`] }",
        "None of the keys",
    ),
    "no checkpoint to speak of": ("(a) => { a.checkpoint = 'trust me\\n\\n' }", "cannot be read"),
}


@pytest.fixture(scope="module")
def refusal(world: World) -> dict[str, Any]:
    """The outcome of a refused transfer, which a checkpoint covers."""
    request_id = refused(world).request_id
    outcome: dict[str, Any] = next(each for each in world.records(request_id) if each["kind"] == "outcome")

    def proved() -> Any:
        path = f"/api/audit/records/{outcome['chain']}/{outcome['seq']}"
        return ask(world, AUDITOR, "GET", path).body["proof"]

    wait_until(proved, "a checkpoint covers it", poll_seconds=0.5)
    return outcome


def opened(browser: Browser, record: dict[str, Any]) -> None:
    """Through the page, not by a new load."""
    address = f"?view=record&chain={record['chain']}&seq={record['seq']}"
    browser.run(
        "history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))", address
    )
    browser.settled()


def test_a_refused_transfer_is_found_opened_verified_and_exported(
    browser: Browser, refusal: dict[str, Any]
) -> None:
    browser.log_in(AUDITOR)
    browser.reads("Over time")
    browser.press("Records")
    browser.settled()
    browser.press("Filters")
    browser.type_at("#filter-operation", "transfer.*")
    browser.type_at("#filter-target", "wallet:cold")
    browser.type_at("#filter-code", "policy_denied")
    browser.press("Show")
    browser.settled()
    assert "code=policy_denied" in browser.driver.current_url
    rows = browser.rows()
    assert len(rows) >= 4
    assert {(row[1], row[4], row[5]) for row in rows} == {("outcome", "wallet:cold", "policy_denied")}

    browser.press("Save all that fit as CSV")
    file = browser.downloads / "vaultsigner-records.csv"
    browser.reads("Saved")
    browser.until(lambda: file.is_file() and file.stat().st_size, "the file is there")
    with file.open(newline="") as text:
        exported = list(csv.DictReader(text))
    file.unlink()
    assert len(exported) == len(rows)
    assert {each["code"] for each in exported} == {"policy_denied"}

    browser.click("main table tbody a")
    browser.reads("Verified by this browser")
    for words in (
        "nothing-leaves-the-cold-wallet",
        "Record holds.",
        "Path holds.",
        "Checkpoint holds.",
        "Signature holds.",
        "no independent proof",
        "check-proof",
    ):
        browser.reads(words)
    assert json.loads(browser.text("pre[aria-label='The record']"))["hash"] == refusal["hash"]
    assert browser.text("pre[aria-label='The line']") == ""
    browser.press("The line as it is on disk")
    assert json.loads(browser.text("pre[aria-label='The line']"))["hash"] == refusal["hash"]

    browser.back()
    assert (browser.rows(), browser.attribute("#filter-code", "value")) == (rows, "policy_denied")
    browser.back()
    assert browser.attribute("#filter-code", "value") == ""
    browser.forward()
    assert browser.rows() == rows


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_server_is_seen_through(browser: Browser, refusal: dict[str, Any], lie: str) -> None:
    change, words = LIES[lie]
    browser.log_in(AUDITOR)
    browser.run(LIE % change)
    opened(browser, refusal)
    browser.reads("This proof does not hold")
    browser.reads(words)
    assert browser.attribute("[data-proved]", "data-proved") == "no"


def test_without_the_lie_it_holds(browser: Browser, refusal: dict[str, Any]) -> None:
    browser.log_in(AUDITOR)
    browser.run(LIE % "(a) => {}")
    opened(browser, refusal)
    browser.reads("Verified by this browser")


def test_a_record_tells_which_keys_were_read_besides(browser: Browser, refusal: dict[str, Any]) -> None:
    reads = [
        {"use": "secret", "path": "secret/data/clients/bot", "request_id": "9b1d"},
        {"use": "ahead", "path": "secret/data/wallets/hot", "request_id": None},
    ]
    browser.log_in(AUDITOR)
    browser.run(LIE % f"(a) => {{ a.record.vault_reads = {json.dumps(reads)} }}")
    opened(browser, refusal)
    browser.reads("secret/data/clients/bot (a client's secret), Vault's request 9b1d")
    browser.reads("secret/data/wallets/hot (asked for ahead), the answer left unread")


def test_the_command_line_agrees_about_what_was_saved(
    browser: Browser, world: World, refusal: dict[str, Any], tmp_path: Path
) -> None:
    browser.log_in(AUDITOR)
    opened(browser, refusal)
    browser.press("Save the proof")
    file = browser.downloads / f"proof-{refusal['chain']}-{refusal['seq']}.json"
    browser.until(lambda: file.is_file() and file.stat().st_size, "the file is there")
    saved = json.loads(file.read_text())
    answer = ask(world, AUDITOR, "GET", f"/api/audit/records/{refusal['chain']}/{refusal['seq']}").body
    assert saved == answer["proof"]
    browser.press("Save the checkpoint")
    checkpoint = file.with_suffix(".checkpoint")
    browser.until(lambda: checkpoint.is_file() and checkpoint.stat().st_size, "the checkpoint is there")
    trust = tmp_path / "audit-keys.txt"
    trust.write_text("\n".join(answer["keys"]) + "\n")
    command = [sys.executable, "-m", "vaultsigner", "audit", "check-proof", str(file)]
    command += ["--checkpoint", str(checkpoint), "--trust", str(trust)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_that_names_no_key_proves_nothing_of_signatures(
    browser: Browser, refusal: dict[str, Any]
) -> None:
    browser.log_in(AUDITOR)
    browser.run(LIE % "(a) => { a.keys = [] }")
    opened(browser, refusal)
    browser.reads("Signature not checked.")
    assert browser.attribute("[data-proved]", "data-proved") == "partly"


def test_a_record_that_is_not_there(browser: Browser, refusal: dict[str, Any]) -> None:
    browser.log_in(AUDITOR)
    opened(browser, {**refusal, "seq": 99999999})
    browser.reads("There is no such record")


def test_nothing_that_fits_says_so(browser: Browser) -> None:
    browser.log_in(AUDITOR, "?view=records&principal=user%3Anobody")
    browser.reads("No record fits")
    assert browser.text(".chosen").strip() == "Who: user:nobody ✕"
    browser.press("Remove the filter Who: user:nobody")
    browser.settled()
    assert len(browser.rows()) > 10


def test_filters_that_mean_nothing_are_told(browser: Browser) -> None:
    browser.log_in(AUDITOR, "?view=records&amount_above=much")
    browser.reads("does not understand the filters")
    browser.reads("amount_above: this is no amount")


def test_somebody_without_a_role_is_told_which_is_needed(browser: Browser) -> None:
    browser.log_in(OTHER)
    browser.reads("403: your user may not see this")
    browser.reads("auditor or operator")
    browser.reads("roles: [auditor]")


def test_a_breakdown_leads_to_its_records(browser: Browser) -> None:
    browser.log_in(AUDITOR)
    browser.press("policy_denied")
    browser.reads("Records", "h1")
    browser.settled()
    assert {row[5] for row in browser.rows()} == {"policy_denied"}


def test_tables_are_sorted_by_their_headings(browser: Browser) -> None:
    browser.log_in(AUDITOR, "?view=records&principal=user%3Asam")
    newest_first = [row[0] for row in browser.rows()]
    assert newest_first == sorted(newest_first, reverse=True)
    browser.press("Operation")
    operations = [name for name, _ in groupby(row[3] for row in browser.rows())]
    assert len(operations) == len(set(operations)) > 2
    assert operations.index("auth.login") < operations.index("transfer.broadcast")
    assert browser.attribute("th[aria-sort]", "aria-sort") == "ascending"
    browser.press("Operation")
    assert [name for name, _ in groupby(row[3] for row in browser.rows())] == operations[::-1]
    assert browser.attribute("th[aria-sort]", "aria-sort") == "descending"
    browser.press("Time")
    assert [row[0] for row in browser.rows()] == newest_first[::-1]


def test_the_plot_is_drawn_and_its_numbers_stand_beside_it(browser: Browser, world: World) -> None:
    browser.log_in(AUDITOR)
    browser.until(lambda: browser.all(".plot canvas"), "the plot is there")
    drawn = """const c = document.querySelector(".plot canvas");
        return new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size"""
    browser.until(lambda: browser.run(drawn) > 10, "something is drawn")
    browser.press("The same numbers as a table")
    allowed = sum(int(row[1].replace(",", "")) for row in browser.rows(".numbers table"))
    assert f"{allowed:,}" == browser.text(".tile.good strong")
    assert allowed >= 15


def test_without_the_library_for_plots_it_says_what_to_type(browser: Browser) -> None:
    browser.log_in(AUDITOR)
    browser.run("document.body.dataset.plot = 'missing'")
    browser.keys("f")
    browser.reads("./run install")
    browser.press("The same numbers as a table")
    assert browser.rows(".numbers table")
