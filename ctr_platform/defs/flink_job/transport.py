"""Requests to the JobManager's REST API, and what can go wrong with them."""

from __future__ import annotations

from http import HTTPStatus
from json import JSONDecodeError
from typing import Any, Final

import httpx

from contract.errors import FlinkRefused, FlinkUnavailable

TIMEOUT_S: Final = 5.0
"""The JobManager answers in milliseconds; one that takes longer is as good as absent."""

POLL_S: Final = 0.5
"""Between two looks at what the cluster is doing."""

CONNECT_RETRIES: Final = 2
"""A refused connection is tried again, whatever the method: nothing has been asked of the cluster then."""

CAUSED_BY: Final = "Caused by: "


class RestApi:
    """Speaks JSON with one JobManager.

    Both methods raise `FlinkUnavailable` where it does not answer in `TIMEOUT_S`, and `FlinkRefused`
    where it answers with an error; the message holds the root cause.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = httpx.Client(
            base_url=url, timeout=TIMEOUT_S, transport=httpx.HTTPTransport(retries=CONNECT_RETRIES)
        )

    def get(self, path: str, **parameters: str | int) -> Any:
        """Read a resource."""
        return self._answer("GET", path, params=parameters)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Change something."""
        return self._answer(method, path, json=body)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _answer(self, method: str, path: str, **content: Any) -> Any:
        try:
            answer = self._http.request(method, path, **content)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise FlinkUnavailable(f"Flink at {self._url} does not answer: {reason}") from None
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            raise FlinkUnavailable(f"Flink at {self._url} is not ready: {_reason(answer)}")
        if answer.is_error:
            raise FlinkRefused(
                f"Flink at {self._url} answers {path} with HTTP {answer.status_code}: {_reason(answer)}"
            )
        try:
            return answer.json()
        except JSONDecodeError:
            raise FlinkRefused(f"{self._url} is not Flink's REST API: {path} gave no JSON") from None


def root_cause(stack_trace: str) -> str:
    """The one line of a Java stack trace that says what happened: its last cause, else its first line."""
    lines = stack_trace.strip().splitlines() or [""]
    causes = [line.strip() for line in lines if line.strip().startswith(CAUSED_BY)]
    return causes[-1].removeprefix(CAUSED_BY) if causes else lines[0].strip()


def _reason(answer: httpx.Response) -> str:
    """Flink's own words in an error: `{"errors": [short text, stack trace]}`, of which the last says most."""
    try:
        return root_cause(str(answer.json()["errors"][-1]))
    except (JSONDecodeError, KeyError, TypeError, IndexError):
        return answer.reason_phrase
