"""What only shows when exchanges, the Open API's apps and those who use them are seen together."""

from vaultsigner.config.models import ConfigModel
from vaultsigner.config.problems import KnownWords
from vaultsigner.config.report import Report
from vaultsigner.config.tree import Entry, check_unique, entries, texts
from vaultsigner.strict_yaml import YamlPath, YamlValue

_SECTIONS = {"exchanges": "exchange", "open_api": "Open API app"}
_SECRETS = (("exchanges", "secret"), ("open_api", "secret_key"), ("open_api", "private_key"))


def check_exchanges(tree: Entry, report: Report) -> None:
    """Names are unique, callers use what exists, and no secret serves anything else."""
    for section in _SECTIONS:
        # Asked first: later a name may be complained of because it repeats, and then it is known all the same.
        complete = not any(
            report.complained_of((section, index, "name")) for index, _ in entries(tree.get(section))
        )
        first: dict[str, int] = {}
        for index, entry in entries(tree.get(section)):
            check_unique(entry.get("name"), index, first, (section, index, "name"), report)
        for callers in ("users", "clients"):
            for index, caller in entries(tree.get(callers)):
                place = (callers, index, section)
                _check_uses(caller.get(section), place, first, report, names_complete=complete)
    _check_kv_places(tree, report)
    _check_transit_keys(tree, report)


def _check_uses(
    value: YamlValue, place: YamlPath, known: dict[str, int], report: Report, *, names_complete: bool
) -> None:
    seen: dict[str, int] = {}
    for index, name in texts(value):
        if name not in known and names_complete:
            what = _SECTIONS[str(place[-1])]
            report.add((*place, index), f"no {what} has this name", KnownWords(known).hint(name))
        check_unique(name, index, seen, (*place, index), report)


def _check_kv_places(tree: Entry, report: Report) -> None:
    """Beside a wallet's key lies nothing that anybody outside knows; and what a client knows is no exchange's secret."""
    wallets = {
        _place(wallet.get(kind))
        for _, wallet in entries(tree.get("wallets"))
        for kind in ("private_key", "mnemonic")
    }
    secrets = {
        (section, index, member): _place(entry.get(member))
        for section, member in _SECRETS
        for index, entry in entries(tree.get(section))
    }
    for path, place in secrets.items():
        if place is not None and place in wallets:
            hint = "give each a path of its own"
            report.add(path, "a wallet's key lies there; the other side knows this secret", hint)
    for index, client in entries(tree.get("clients")):
        place = _place(client.get("secret"))
        if place is not None and place in secrets.values():
            message = "an exchange's secret lies there, which no client may know"
            report.add(
                ("clients", index, "secret"), message, "`vaultsigner clients create` makes one of its own"
            )


def _place(reference: YamlValue) -> str | None:
    """Mount and path of a KV reference, without the field."""
    if not isinstance(reference, str) or not reference.startswith("vault:"):
        return None
    return reference.partition("#")[0]


def _check_transit_keys(tree: Entry, report: Report) -> None:
    """A key that signs what callers ask for signs nothing of our own; and neither of our own signs what the other does."""
    audit = tree.get("audit")
    access_token_key = str(tree.get("access_token_key", ConfigModel.model_fields["access_token_key"].default))
    checkpoint_key = str(audit.get("checkpoint_key")) if isinstance(audit, dict) else ""
    if checkpoint_key == access_token_key:
        message = "this is access_token_key, too; a key that signs checkpoints signs nothing else"
        report.add(("audit", "checkpoint_key"), message, "write transit:transit/audit-checkpoints")
    own = {access_token_key: "access_token_key", checkpoint_key: "audit.checkpoint_key"}
    for index, entry in entries(tree.get("exchanges")):
        secret = entry.get("secret")
        if isinstance(secret, str) and secret in own:
            message = f"this is {own[secret]}; a key that signs requests signs nothing else"
            report.add(
                ("exchanges", index, "secret"),
                message,
                "`vaultsigner exchanges import` makes a key of its own",
            )
