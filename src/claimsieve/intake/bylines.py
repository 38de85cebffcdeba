"""What the lines around a headline say of an article: by whom, for whom, and when."""

import re
from collections.abc import Sequence

from claimsieve.intake.articles import Block
from claimsieve.intake.dates import read_date
from claimsieve.intake.pieces import Facts

# "BAGHDAD (Reuters) - ", "BEIRUT, August 5, 2020 (AP) — ", "KYIV — "
DATELINE = re.compile(
    r"(?:[A-Z][A-Z.'’/ -]+(?:,\s[A-Z][\w.]+(?:\s[A-Z]\w+)?)?|[A-Z][\w.'’-]+(?:[\s/][A-Z][\w.'’-]+)?(?:,\s[A-Z][\w.]+)?)"
    r"(?P<dated>,\s(?:\w{3,9}\.?\s\d{1,2}|\d{1,2}\s\w{3,9})(?:,?\s\d{4})?)?\s*"
    r"(?:\((?P<outlet>[A-Z][\w .&/-]{1,40})\)\s*[-–—]+\s*|(?<=[A-Z]{3})\s*[–—]+\s*|(?(dated)[-–—]+\s+|(?!)))"
)
_TOP = 6  # blocks
_BY = re.compile(r"\bBy\s+(?P<name>[A-Z][\w.'’-]+(?:\s+(?:[A-Z][\w.'’-]+|de|van|von|al|bin|der|la)){1,4})")
_ROLE = re.compile(
    r"(?P<name>(?:[A-Z][\w.'’-]+\s+){1,3}[A-Z][\w'’-]+),\s+(?:[\w-]+\s){0,3}(?:editor|reporter|writer"
    r"|correspondent|columnist)\b"
)
_SEPARATED = re.compile(r"\s+[|·•]\s+")
_LONGEST_LINE = 200


def byline(text: str, blocks: Sequence[Block]) -> Facts:
    """Author, outlet and date from the lines at the top that are no part of the story, and from a dateline."""
    found: dict[str, str] = {}
    for block in blocks[:_TOP]:
        line = " ".join(text[block.start : min(block.end, block.start + _LONGEST_LINE)].split())
        if block.kind in ("boilerplate", "heading"):
            if match := _BY.search(line) or _ROLE.match(line):
                found.setdefault("author", match["name"])
                parts = _SEPARATED.split(line)
                outlet = next((part for part in parts[1:] if read_date(part) is None and part[:1].isupper()), None)
                if outlet:
                    found.setdefault("outlet", outlet)
            if block.kind == "boilerplate" and (date := read_date(line)):
                found.setdefault("date", date)
        elif block.kind == "paragraph":
            if match := DATELINE.match(line):
                if match["outlet"]:
                    found.setdefault("outlet", match["outlet"])
                if date := read_date(match.group()):
                    found.setdefault("date", date)
            break
    return Facts(author=found.get("author"), outlet=found.get("outlet"), date=found.get("date"))
