"""One record in full: its line, its proof, and the other records of its request."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from vaultsigner.audit.files.record_lines import NoSuchRecordError, lines_from
from vaultsigner.audit.searching.filters import Filters
from vaultsigner.audit.searching.queries import RecordQueries
from vaultsigner.audit.searching.readable import is_readable
from vaultsigner.audit.verifying.quick_proofs import quick_proof
from vaultsigner.errors import AuditError

AROUND = timedelta(hours=1)
"""How far from a record the others of its request are looked for: no request takes so long."""
MOST_RELATED = 100


def look_up(queries: RecordQueries, chain: str, seq: int) -> dict[str, Any] | None:
    """`line`, `proof` (or `why` there is none), `checkpoint` and `related`; None where there is no such record.

    Raises:
        AuditError: the files cannot be read.
    """
    found = next((each for each in queries.chains if each.name == chain), None)
    if found is None:
        return None
    try:
        line = next(lines_from(found, seq)).decode("utf-8", "replace").rstrip("\n")
    except NoSuchRecordError:
        return None
    if not is_readable(line):
        raise AuditError(f"record {chain}:{seq} is no record: vaultsigner audit verify")
    proof = quick_proof(found, seq)
    told = {name: value for name, value in asdict(proof).items() if name != "document"}
    return {"line": line, "proof": proof.document, **told, "related": _related(queries, line)}


def _related(queries: RecordQueries, line: str) -> list[str]:
    record = json.loads(line)
    request_id, time = record.get("request_id"), record.get("time")
    if not isinstance(request_id, str) or not isinstance(time, str):
        return []
    moment = datetime.fromisoformat(time)
    filters = Filters(request_id=request_id, since=moment - AROUND, until=moment + AROUND)
    return [each for each in queries.find(filters, MOST_RELATED).lines if is_readable(each)]
