"""Pictures looked up by themselves, without a claim."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from claimsieve.file_names import written_name
from claimsieve.media.dates import relation
from claimsieve.media.evidence import RECYCLED, Checked, Unmatched, checked, passage_of, telling_hit, why_unmatched
from claimsieve.media.index import PictureIndex
from claimsieve.media.wording import hit_row

_AT_ONCE = 256


def check_pictures(
    index: PictureIndex,
    files: Sequence[Path],
    *,
    claimed: str | None = None,
    leeway_days: int = 0,
    advance: Callable[[int], None] = lambda files: None,
) -> list[dict[str, Any]]:
    """One row a picture, in order.

    Its keys: picture; quality (0 to 100, None where it cannot be read); matches, how many known pictures; hits, up to
    five of them; evidence, the passage that the oldest one makes, or None; manipulation, ['recycled'] where that one is
    dated before `claimed`, [] where none is, None without `claimed` and where the picture could not be looked up;
    unmatched, why that is.
    """
    rows = []
    for first in range(0, len(files), _AT_ONCE):
        some = files[first : first + _AT_ONCE]
        for path, answer in zip(some, checked(index, some), strict=True):
            rows.append(_row(written_name(path), answer, claimed, leeway_days))
            advance(1)
    return rows


def _row(name: str, answer: Checked, claimed: str | None, leeway_days: int) -> dict[str, Any]:
    why = why_unmatched(name, answer)
    hits = () if isinstance(answer, Unmatched) else answer.hits
    telling = telling_hit(hits) if hits else None
    passage = None if telling is None else asdict(passage_of(telling, claimed))
    older = telling is not None and relation(telling.known.date, claimed, leeway_days=leeway_days) == "before"
    return {
        "picture": name,
        "quality": None if isinstance(answer, Unmatched) else answer.quality,
        "matches": 0 if isinstance(answer, Unmatched) else answer.count,
        "hits": [hit_row(name, hit, claimed, leeway_days=leeway_days) for hit in hits],
        "evidence": None if passage is None else {key: value for key, value in passage.items() if value is not None},
        "manipulation": None if why is not None or claimed is None else [RECYCLED] if older else [],
        "unmatched": None if why is None else {"reason": why.reason, "words": why.words},
    }
