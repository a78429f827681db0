"""What the job is told of a stream; of the one that ships, nothing that older releases do not know."""

from __future__ import annotations

from dataclasses import fields

from contract.stream.load import shipped_stream
from ctr_platform.defs.flink_job.declared import declared
from ctr_platform.defs.flink_job.deploy import DECLARED
from flink.config import JobConfig, default_of


def test_the_shipped_stream_is_the_default() -> None:
    told = declared(shipped_stream())
    defaults = {each.name: default_of(each) for each in fields(JobConfig) if each.name in DECLARED}
    assert {name: told[name] for name in DECLARED} == defaults
    assert told.keys() - DECLARED == {"reader_schema"}
