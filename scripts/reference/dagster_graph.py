"""The page of Dagster's assets, checks, jobs, schedules and sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import PRODUCED_BY
from ctr_platform.defs.flink_job.releases import INSTALLED
from scripts.reference.markdown import code, described, page, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import dagster as dg

IMPLICIT_PREFIX: Final = "__"
"""Dagster's own job of all assets begins with it."""


def dagster_page(definitions: dg.Definitions | None = None) -> str:
    """Everything that the code location defines."""
    found = definitions or defs()
    repository = found.get_repository_def()
    return page(
        "Dagster",
        "the definitions in `ctr_platform/defs`",
        "## Assets\n",
        _assets(found),
        "## Checks\n\nThe [runbook](../runbook.md) says for each what to look at and what to do.\n",
        _checks(found),
        "## Jobs\n",
        *(_job(each) for each in jobs(repository)),
        "## Schedules\n",
        table(
            ("schedule", "job", "cron (UTC)", "at first", "meaning"),
            (_schedule(each) for each in sorted(repository.schedule_defs, key=lambda each: each.name)),
        ),
        "## Sensors\n",
        table(
            ("sensor", "every", "at first", "meaning"),
            (_sensor(each) for each in sorted(repository.sensor_defs, key=lambda each: each.name)),
        ),
    )


def jobs(repository: dg.RepositoryDefinition) -> list[dg.JobDefinition]:
    """The jobs that people see, by name."""
    own = (each for each in repository.get_all_jobs() if not each.name.startswith(IMPLICIT_PREFIX))
    return sorted(own, key=lambda each: each.name)


def _assets(found: dg.Definitions) -> str:
    graph = found.resolve_asset_graph()
    keys = sorted(graph.get_all_asset_keys(), key=lambda key: (graph.get(key).group_name, key))
    rows = []
    for key in keys:
        node = graph.get(key)
        name = key.to_user_string()
        rows.append(
            (
                code(name),
                node.group_name,
                node.tags.get(PRODUCED_BY, ""),
                ", ".join(code(each.to_user_string()) for each in sorted(node.parent_keys)),
                described(f"the asset {name}", node.description),
            )
        )
    return table(("asset", "group", "produced by", "depends on", "meaning"), rows)


def _checks(found: dg.Definitions) -> str:
    graph = found.resolve_asset_graph()
    rows = []
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        spec = graph.get_check_spec(key)
        meaning = described(f"the check {key.name}", spec.description)
        link = f"[`{key.name}`](../runbook.md#{key.name})"
        rows.append((link, code(key.asset_key.to_user_string()), "yes" if spec.blocking else "", meaning))
    return table(("check", "asset", "blocking", "meaning"), rows)


def _job(job: dg.JobDefinition) -> str:
    meaning = described(f"the job {job.name}", job.description)
    rows = list(_config(job))
    shown = table(("op", "config", "default", "meaning"), rows) if rows else "It takes no config.\n"
    return f"### {job.name}\n\n{meaning}\n\n{shown}"


def _config(job: dg.JobDefinition) -> Iterator[tuple[str, str, str, str]]:
    for node in job.graph.nodes:
        schema: Any = node.definition.config_schema
        fields = getattr(schema.config_type, "fields", None) or {}
        for name, field in sorted(fields.items()):
            default = field.default_value if field.default_provided else None
            shown = "required" if field.is_required else _value(default)
            meaning = described(f"{name} of the op {node.name}", field.description)
            yield code(node.name), code(name), shown, meaning


def _value(default: object) -> str:
    if default in ("", [], None):
        return ""
    if default == str(INSTALLED):
        return "the installed package's folder"
    return code(str(default).lower() if isinstance(default, bool) else default)


def _schedule(schedule: dg.ScheduleDefinition) -> tuple[str, str, str, str, str]:
    crons = schedule.cron_schedule
    shown: Iterable[str] = [crons] if isinstance(crons, str) else crons
    return (
        code(schedule.name),
        code(schedule.job_name),
        ", ".join(code(each) for each in shown),
        schedule.default_status.value.lower(),
        described(f"the schedule {schedule.name}", schedule.description),
    )


def _sensor(sensor: dg.SensorDefinition) -> tuple[str, str, str, str]:
    return (
        code(sensor.name),
        f"{sensor.minimum_interval_seconds} s",
        sensor.default_status.value.lower(),
        described(f"the sensor {sensor.name}", sensor.description),
    )
