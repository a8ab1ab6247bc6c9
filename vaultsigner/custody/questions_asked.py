"""Counts the server's questions to custody, and how long their answers take."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from vaultsigner.custody.frames import QuestionCode
from vaultsigner.errors import CustodyError
from vaultsigner.telemetry.measures import Histogram
from vaultsigner.telemetry.metrics import OTHER, Metric, Sample, counter, gauge, histogram, single
from vaultsigner.telemetry.passages import step

MOST_CODES = 64
"""Of errors that are counted by name: custody sends a dozen, whoever stands in its place as many as it likes."""


class QuestionsAsked:
    """Since this process's start."""

    def __init__(self) -> None:
        self._times: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._errors: Counter[tuple[str, str]] = Counter()
        self._codes: set[str] = set()
        self._in_flight = 0

    @contextmanager
    def asking(self, code: QuestionCode) -> Iterator[None]:
        """For as long as one question is under way."""
        question = code.name.lower()
        # From zero on, so that the first one that fails is seen to be one more.
        self._errors.setdefault((question, "custody_unavailable"), 0)
        began = time.perf_counter()
        self._in_flight += 1
        try:
            with step("custody", question):
                yield
        except CustodyError as error:
            self._errors[question, self._code(error.code)] += 1
            raise
        finally:
            self._in_flight -= 1
            self._times[question].observe(time.perf_counter() - began)

    def metrics(self) -> list[Metric]:
        """All that was counted."""
        return [
            histogram(
                "vaultsigner_custody_request_duration_seconds",
                "How long custody took to answer, by question.",
                *(
                    Sample(each.times(), {"question": question})
                    for question, each in sorted(self._times.items())
                ),
            ),
            counter(
                "vaultsigner_custody_errors_total",
                "Questions that custody gave no good answer to, by question and code.",
                *(
                    Sample(count, {"question": question, "code": code})
                    for (question, code), count in sorted(self._errors.items())
                ),
            ),
            gauge(
                "vaultsigner_custody_requests_in_flight",
                "Questions that custody has not answered yet.",
                single(self._in_flight),
            ),
        ]

    def _code(self, code: str) -> str:
        if code not in self._codes:
            if len(self._codes) >= MOST_CODES:
                return OTHER
            self._codes.add(code)
        return code
