"""A cluster behind a reverse proxy, below a path and by TLS: looked at, submitted to and ended there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.settings import Settings
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import end_jobs, job_config, submit, wait_running
from ctr_platform.devstack.probes import wait_until
from flink.config import JOB_NAME
from tests.support.pipeline import STATE_TIMEOUT_S, pipeline
from tests.support.tls_proxy import STORE_PASSWORD, tls_proxy

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.stack import RunningStack
    from tests.support.submitter import Submitter


def test_all_that_the_platform_asks_of_flink_goes_to_the_one_address(
    stack: RunningStack, submitter: Submitter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        tls_proxy(stack.settings.flink_rest_url, "/flink", tmp_path) as proxy,
        pipeline(stack, submitter) as job,
    ):
        # What a certificate of one's own needs; one of a public authority needs nothing.
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
        trust = f"-Djavax.net.ssl.trustStore={proxy.trust_store}"
        monkeypatch.setenv("JVM_ARGS", f"{trust} -Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}")
        told = Settings(flink_rest_url=f"{proxy.url}/")
        settings = job.settings.model_copy(update={"flink_rest_url": told.flink_rest_url})
        with FlinkCluster(settings.flink_rest_url) as cluster:
            job.job_id = submit(job_config(settings, settings.declared_stream()))
            assert wait_running(cluster, job.job_id).running
            # The cluster's list is some seconds old.
            wait_until(lambda: bool(cluster.alive(JOB_NAME)), STATE_TIMEOUT_S, "the job in the list")
            end_jobs(cluster, [job.job_id])
            wait_until(lambda: not cluster.job(str(job.job_id)).alive, STATE_TIMEOUT_S, "the job's end")
        assert "POST /flink/v1/jobs" in proxy.requests
        assert any(request.startswith("PATCH /flink/jobs/") for request in proxy.requests)
        assert proxy.strays == []
