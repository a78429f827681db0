"""One judgement of bytes: job, recount and Avro's own reader are given the same events, many of them damaged.

Job and recount must say the same. Avro's reader believes more than they do (it follows a union to any depth,
and cuts a number down to its type), but never the contrary: what it cannot read, neither of them reads.
"""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from contract.stream.load import shipped_stream
from contract.wire import event_type
from ctr_platform.defs.reconciliation.decode import Decoder
from tests.flink.random_events import RandomEvents
from tests.support.java_tests import run

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS: Final = 150
EVENTS: Final = 60
"""Of each schema."""

HEADER: Final = bytes(5)


def judged_by_the_recount(schema: Any, referenced: list[Any], values: list[bytes]) -> list[str]:
    found = event_type(schema, referenced)
    decoded = Decoder(shipped_stream(), lambda _identifier: found).decode(
        [HEADER + value for value in values]
    )
    dimensions = (decoded.dimensions[name] for name in ("device_type", "site_category"))
    fields = zip(decoded.timestamp_ms, decoded.click, *dimensions, strict=True)
    return [
        str(dead) or f"{time_ms} {click} {device} {base64.b64encode(str(category).encode()).decode()}"
        for dead, (time_ms, click, device, category) in zip(decoded.dead, fields, strict=True)
    ]


@dataclass
class Judgements:
    """What three readers have made of the same events."""

    events: int = 0
    valid: int = 0
    unknown_schema: int = 0
    disagreements: list[str] = field(default_factory=list)


def judge(folder: Path, seed: int, schemas: int) -> Judgements:
    """Give random events to the job's decoder, the recount's and Avro's own."""
    made = RandomEvents(seed)
    lines, recount, asked = [], [], []
    for _ in range(schemas):
        schema, referenced = made.schema()
        values = [made.event(schema) for _ in range(EVENTS)]
        described = json.dumps(schema)
        lines += [json.dumps([json.dumps(each) for each in referenced]), described]
        lines += [value.hex() for value in values]
        recount += judged_by_the_recount(schema, referenced, values)
        asked += [f"{described} {json.dumps(referenced)} {value.hex()}" for value in values]
    done = run(folder, ["ctr.ingest.Judge"], "\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    judgements = Judgements(events=len(asked))
    for event, ours, line in zip(asked, recount, done.stdout.splitlines(), strict=True):
        job, avro = line.split("\t")
        alike = job == ours and (job == "malformed" or avro in {job, "too large"})
        judgements.unknown_schema += job == "unknown_schema"
        judgements.valid += alike and job not in {"malformed", "unknown_schema"}
        if not alike:
            judgements.disagreements.append(f"seed {seed}: job {job}, recount {ours}, Avro {avro}: {event}")
    return judgements


def test_job_recount_and_avro_judge_alike(tmp_path: Path) -> None:
    judgements = judge(tmp_path, seed=random.randrange(10**9), schemas=SCHEMAS)
    assert not judgements.disagreements, "\n".join(judgements.disagreements[:5])
    assert judgements.valid > judgements.events / 10
