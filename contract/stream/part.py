"""What every table of `stream.toml` has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A table of the file: whatever it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")
