"""How Dagster starts a run here, and how it learns that a run's process is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
import tenacity
from dagster import DagsterRun, DefaultRunLauncher
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from dagster._grpc.client import DagsterGrpcClient

ANSWER_WITHIN_S: Final = 10
"""The code server looks into a table of its own; one that is slower is busy, not gone."""

ATTEMPTS: Final = 3
PAUSE_S: Final = 1.0
"""Between attempts to reach a code server: a network may hiccup, a dead process stays dead."""


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher, and an answer to whether a run is still there.

    The default one has none. Where a code server ends without its runs' last words - a stop in the middle,
    a lost machine - they count as started for ever, and keep their places in the concurrency pools. With an
    answer, Dagster's run monitoring marks them as failed.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Yes: run monitoring asks."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run whether it still executes it."""
        try:
            known = tenacity.Retrying(
                retry=tenacity.retry_if_exception(_is_away),
                wait=tenacity.wait_fixed(PAUSE_S),
                stop=tenacity.stop_after_attempt(ATTEMPTS),
                reraise=True,
            )(self._known, run.run_id)
        except DagsterUserCodeUnreachableError as error:
            if _is_away(error):
                return CheckRunHealthResult(WorkerStatus.FAILED, "its code server is gone")
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its code server is too busy to answer")
        if known:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "its code server does not know it")

    def _known(self, run_id: str) -> bool:
        client: DagsterGrpcClient | None = self._get_grpc_client_for_termination(run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return False
        answer = client.can_cancel_execution(
            CanCancelExecutionRequest(run_id=run_id), timeout=ANSWER_WITHIN_S
        )
        return deserialize_value(answer, CanCancelExecutionResult).can_cancel


def _is_away(error: BaseException) -> bool:
    """Whether nobody listens there any more; a time-out does not say that."""
    cause = error.__cause__
    return isinstance(cause, grpc.RpcError) and cause.code() is not grpc.StatusCode.DEADLINE_EXCEEDED
