"""An operator is told once that an exchange will not have the desk's key, and once that it will again."""

from structlog.testing import capture_logs

from vaultsigner.signing.exchange_journal import Came
from vaultsigner.signing.exchange_troubles import ExchangeTroubles


def told(*steps: tuple[str, Came]) -> list[tuple[str, str, int | None]]:
    troubles = ExchangeTroubles()
    with capture_logs() as logs:
        for exchange, came in steps:
            troubles.after(exchange, came)
    return [(entry["log_level"], entry["exchange"], entry.get("code")) for entry in logs]


WRONG = Came("refused", 400, code=-1022)
UNKNOWN_KEY = Came("refused", 401, code=-2015)
GOOD = Came("accepted", 200)
NO_FUNDS = Came("refused", 400, code=-2010)


def test_it_is_told_once_until_it_is_over() -> None:
    steps = [
        ("main", WRONG),
        ("main", WRONG),
        ("main", NO_FUNDS),
        ("main", GOOD),
        ("main", GOOD),
        ("main", WRONG),
    ]
    assert told(*steps) == [
        ("warning", "main", -1022),
        ("info", "main", None),
        ("warning", "main", -1022),
    ]


def test_each_exchange_and_each_trouble_by_itself() -> None:
    assert told(("main", WRONG), ("main", UNKNOWN_KEY), ("other", WRONG), ("other", GOOD)) == [
        ("warning", "main", -1022),
        ("warning", "main", -2015),
        ("warning", "other", -1022),
        ("info", "other", None),
    ]


def test_what_bots_do_wrong_is_no_trouble() -> None:
    assert told(("main", NO_FUNDS), ("main", Came("unknown", 503)), ("main", GOOD)) == []
