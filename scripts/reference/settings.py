"""The page of settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from contract.settings import Settings, ctr_home
from scripts.reference.markdown import code, described, page, table

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

INTRODUCTION: Final = """\
Every command, Dagster and the dashboard read these environment variables. A value comes from the first of:
the process environment; `stack.env` in `CTR_HOME`, which a running embedded stack writes; the default.

A duration is written `60s`, `10min`, `500ms`, `1h` or `7d`; a number alone is seconds. `CTR_HOME` is the
folder of the embedded stack's data, by default in the user's data folder; `CTR_CACHE` is the folder of the
Java artifacts.
"""

ROOT: Final = Path(__file__).parents[2]
"""Below it paths are the same wherever the pages are made."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def settings_page(settings: type[Settings] = Settings) -> str:
    """Every variable, its type, default and meaning."""
    rows = [_row(name.upper(), field) for name, field in settings.model_fields.items()]
    return page(
        "Settings",
        "`contract/settings.py`",
        INTRODUCTION,
        table(("variable", "type", "default", "meaning"), rows),
    )


def _row(variable: str, field: FieldInfo) -> tuple[str, str, str, str]:
    kind = _type(field)
    meaning = described(variable, field.description)
    limits = _limits(field)
    return f"`{variable}`", kind, _default(field, kind), meaning + (f" ({limits})" if limits else "")


def _type(field: FieldInfo) -> str:
    if field.annotation is SecretStr:
        return "secret"
    if _is_duration(field):
        return "duration"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(field.annotation, "path") if isinstance(field.annotation, type) else "text"


def _is_duration(field: FieldInfo) -> bool:
    return any(getattr(getattr(each, "func", None), "__name__", "") == "_seconds" for each in field.metadata)


def _default(field: FieldInfo, kind: str) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if kind == "secret":
        return ""
    if kind == "duration":
        return code(_duration(value))
    return code(str(value).replace(str(ctr_home()), "$CTR_HOME").removeprefix(f"{ROOT}/"))


def _duration(seconds: float) -> str:
    for unit_s, unit in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds > unit_s and seconds % unit_s == 0:
            return f"{seconds / unit_s:g}{unit}"
    return f"{seconds:g}s"


def _limits(field: FieldInfo) -> str:
    signs = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    found = [
        f"{words} {getattr(each, name):g}"
        for each in field.metadata
        for name, words in signs.items()
        if not _is_duration(field) and getattr(each, name, None) is not None
    ]
    return ", ".join(found)
