"""The analyst's page of what was read, written where the user wants it."""

from collections.abc import Sequence
from pathlib import Path

from claimsieve.analysis.page import MAX_ROWS, TITLE, analysis_page
from claimsieve.analysis.pictures import Thumbnails
from claimsieve.analysis.reading import Labelled
from claimsieve.pages import write_page

__all__ = ["MAX_ROWS", "write_analysis"]


def write_analysis(
    found: Labelled,
    output: str,
    *,
    model: str | None = None,
    pictures: Sequence[Path] = (),
    limit: int = MAX_ROWS,
    title: str | None = None,
) -> int:
    """Write the page of labelled rows, whole or not at all; '-' is standard output.

    pictures: folders of pictures beside the one that the rows lie in. Returns how many pictures lie in none of them.
    Raises ConfigError or DataError.
    """
    thumbnails = Thumbnails([found.folder, *pictures])
    page = analysis_page(
        found.rows,
        articles=found.articles,
        model=model,
        title=title or TITLE,
        thumbnails=thumbnails,
        limit=limit,
        labels=found.labels,
        unreadable=found.unreadable,
    )
    write_page(page, output, sources=found.files)
    return len(thumbnails.elsewhere)
