"""Where every table is declared."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from sqlalchemy import (
    DateTime,
    Double,
    MetaData,
    Numeric,
    Text,
)
from sqlalchemy.orm import DeclarativeBase

REALTIME: Final = "realtime"
"""Schema of what the job counts."""


QUALITY: Final = "quality"
"""Schema of what verifies the counts."""


NAMING: Final = {"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"}
"""How constraints are called."""


class Base(DeclarativeBase):
    """Names constraints by rule, so that a migration can name them too."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(5, 2),
        float: Double(),
    }
