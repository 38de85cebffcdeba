"""Documents checked against our JSON Schema of a ClaimReview before they are written."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from claimsieve.errors import MissingPackageError


@cache
def claimreview_problem() -> Callable[[Mapping[str, Any]], str | None]:
    """A function that says where a document breaks the schema and how; None when it does not."""
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise MissingPackageError("jsonschema is not installed: pip install 'jsonschema>=4.23,<5'") from None
    text = resources.files("claimsieve.exporting").joinpath("claimreview.schema.json").read_text(encoding="utf-8")
    validator = Draft202012Validator(json.loads(text))

    def problem(document: Mapping[str, Any]) -> str | None:
        from jsonschema.exceptions import best_match

        error = best_match(validator.iter_errors(document))
        if error is None:
            return None
        return f"{error.json_path}: {error.message:.200}"

    return problem
