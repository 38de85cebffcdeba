"""The base of every part of a config."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Unknown keys, wrong types and later changes are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
