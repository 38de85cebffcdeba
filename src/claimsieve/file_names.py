"""Names of files as text that can be written."""

from pathlib import Path


def written_name(path: str | Path) -> str:
    r"""A name as it can be printed and written. It may hold any bytes on disk: those that are no UTF-8 become `\xff`.

    Two names stay two, as they would not with a replacement for every such byte.
    """
    text = str(path)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character of another kind, which no name on disk has
        return text.encode("utf-8", "backslashreplace").decode()
