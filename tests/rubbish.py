"""Claims files with every kind of rubbish in them, by a generator that knows how many rows it wrote, where, and which.

It counts by itself as it writes, and never asks the code that reads.
"""

import decimal
import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

KINDS = ("jsonl", "csv", "tsv", "parquet")
PACKINGS = ("", ".gz", ".zst")  # of text; Parquet is packed inside, by a codec at random
COLUMNS = ("claim", "evidence", "note")

_ALPHABET = "abc XYZ 09.,;:-_'\"{}[]()\\/\t|#=+@éßłЖ中日\u2028\x85\xa0\u200f\ufeff\u0000\x0b\x1b🙂👩‍🚀"


@dataclass(frozen=True, slots=True)
class Written:
    """One row of a file. place: where a reader should say that it stands. fields: None for one that cannot be read."""

    place: int
    fields: dict[str, Any] | None


def rubbish(random: Random, kind: str, packing: str = "", *, rows: int = 100) -> tuple[bytes, list[Written]]:
    """A file of at least so many rows, and its rows in order; about one in three cannot be read.

    kind: one of KINDS. packing: one of PACKINGS; in several members, cut anywhere.
    """
    if kind == "parquet":
        return _parquet(random, rows)
    content, written = _json_lines(random, rows) if kind == "jsonl" else _table(random, rows, kind)
    return packed(random, content, packing), written


def packed(random: Random, content: bytes, packing: str) -> bytes:
    """The content as an archive of one to five members one after another; some may be empty."""
    if not packing:
        return content
    import pyarrow

    pack: Callable[[bytes], bytes] = {
        ".gz": gzip.compress,
        ".zst": lambda part: pyarrow.compress(part, codec="zstd", asbytes=True),
    }[packing]
    cuts = sorted(random.randrange(len(content) + 1) for _ in range(random.randrange(5)))
    return b"".join(pack(content[a:b]) for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True))


def text(random: Random, most: int = 12) -> str:
    """Any characters but line ends and half characters."""
    return "".join(random.choice(_ALPHABET) for _ in range(random.randrange(most)))


def _json_lines(random: Random, rows: int) -> tuple[bytes, list[Written]]:
    lines: list[bytes] = []
    written: list[Written] = []
    while len(written) < rows:
        line, fields = _json_line(random)
        assert b"\n" not in line
        if not lines and line[:2] in (b"\xff\xfe", b"\x1f\x8b"):
            continue  # at its beginning this would be another kind of file
        lines.append(line)
        if fields is not _BLANK:
            written.append(Written(len(lines), fields))
    end = random.choice([b"", b"\n", b"\n\n\n"])
    return random.choice([b"", b"\xef\xbb\xbf"]) + b"\n".join(lines) + end, written


_BLANK: Any = object()


def _json_line(random: Random) -> tuple[bytes, Any]:
    good = _record(random)
    ascii_only = random.random() < 0.5 or "\\ud" in json.dumps(good)  # half a character can only be escaped
    line = json.dumps(good, ensure_ascii=ascii_only).encode()
    chance = random.random()
    if chance < 0.6:
        return random.choice([b"", b" ", b"\t"]) + line + random.choice([b"", b"\r", b"  "]), good
    if chance < 0.7:
        return random.choice([b"", b" ", b"\r", b"\t \r", b"\x0c"]), _BLANK
    digits = str(random.choice([4_301, 5_000, 100_000])).encode()
    return (
        random.choice(
            [
                line[: random.randrange(1, len(line))],  # torn
                line[1:],
                line + line,
                line + b"\r" + line,  # only a line feed ends a line
                b"\x80" + line,
                line[:-1] + b"\xe9}",
                line[:-2] + b"\xed\xa0\x80" + line[-2:],  # half a character, as bytes
                b"\x00" * random.randrange(1, 50),
                line[:-1] + b'\x00"}',
                '{"claim": "hit"}'.encode("utf-16-le"),
                b"\xff\xfe" + '{"claim": "hit"}'.encode("utf-16-le"),
                b"{'claim': 'hit'}",
                b'{"claim": "a", "claim": "b"}',
                b'{"claim": "a", "evidence": [{"text": "a", "text": "b"}]}',
                b'{"claim": NaN}',
                b'{"claim": "a", "note": [-Infinity]}',
                b'{"claim": ' + b"9" * int(digits) + b"}",
                b'{"claim": ' + b"[" * random.choice([200, 100_000]),
                b'{"claim": ' + b"[" * 150 + b"]" * 150 + b"}",
                b'{"a":' * 300 + b"1" + b"}" * 300,
                b"[" + line + b"]",
                b"null",
                b'"claim"',
                b"5",
                b"claim,evidence",
                b"\x1f\x8b\x08" + random.randbytes(30).replace(b"\n", b""),
                b"x" * random.choice([1, 10_000]),
            ]
        ),
        None,
    )


def _record(random: Random) -> dict[str, Any]:
    """What can stand in one line; not all of it makes a claim."""
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        2**70,
        10**4_000,
        0.1,
        1e-320,
        -0.0,
        "",
        [],
        {},
        "\ud800",
        "\r",
        "a\nb",
        [[1]],
    ]
    record: dict[str, Any] = {"claim": "hit " + text(random)}
    if random.random() < 0.5:
        record["evidence"] = [{"text": text(random), "date": "2020"} for _ in range(random.randrange(4))]
    if random.random() < 0.5:
        record[random.choice(["note", "id", "", text(random), "\udcff"])] = random.choice(values)
    if random.random() < 0.05:
        record["deep"] = json.loads("[" * 98 + "]" * 98)
    return record


def _table(random: Random, rows: int, kind: str) -> tuple[bytes, list[Written]]:
    comma = "\t" if kind == "tsv" else ","
    end = random.choice(["\n", "\r\n", "\r"])
    written: list[Written] = []
    whole = random.choice([b"", b"\xef\xbb\xbf"])
    line = 0  # the last one that is written

    def write(content: bytes) -> None:
        nonlocal whole, line
        whole += content + end.encode()
        line += _lines_in(content) + 1

    for _ in range(random.randrange(3)):
        write(b"")
    write(comma.join(COLUMNS).encode())
    while len(written) < rows:
        content, fields, outcome = _table_row(random, comma, end)
        before = line
        write(content)
        if outcome == "row":
            written.append(Written(line, fields))
        elif outcome == "lines":  # nobody knows which were rows
            written += [Written(number, None) for number in range(before + 1, line + 1)]
    ending = random.random()
    if ending < 0.3:  # a quotation mark that is never closed
        swallowed = random.randrange(5)
        before = line
        write(f'a{comma}"never closed{(end + comma.join("abc")) * swallowed}'.encode())
        written += [Written(number, None) for number in range(before + 1, line + 1)]
    elif ending < 0.6:
        whole = whole.removesuffix(end.encode())
    return whole, written


def _lines_in(content: bytes) -> int:
    """How many line ends: \\r\\n, \\r and \\n each are one."""
    return len(re.findall(rb"\r\n|\r|\n", content))


def _table_row(random: Random, comma: str, end: str) -> tuple[bytes, dict[str, str] | None, str]:
    """Bytes without the last line end; fields; 'blank', 'row', or 'lines' where each line is a reject."""
    cells = [text(random) for _ in COLUMNS]
    chance = random.random()
    if chance < 0.1:
        return b"", None, "blank"
    if chance < 0.35:
        cells = [cell + random.choice(["", "\r", "\n", "\r\n", "\n\n"]) + text(random) for cell in cells]
        return _quoted(cells, comma), dict(zip(COLUMNS, cells, strict=True)), "row"
    if chance < 0.6:
        # Without quotes around the cell, a quotation mark within is only a character.
        cells = [cell.replace(comma, "").lstrip('"') for cell in cells]
        return comma.join(cells).encode(), dict(zip(COLUMNS, cells, strict=True)), "row"
    if chance < 0.65:
        return (comma * 2).encode(), dict.fromkeys(COLUMNS, ""), "row"
    if chance < 0.75:
        return _quoted(cells * random.choice([2, 3]), comma), None, "row"
    if chance < 0.8:
        return _quoted(cells[: random.choice([1, 2])], comma), None, "row"
    if chance < 0.9:
        bad = random.choice([b"\xe9", b"\x80", b"\xed\xa0\x80", b"\xff\xfe", b"\xc3"])
        return _quoted(cells, comma)[:-1] + bad + b'"', None, "row"
    if chance < 0.95:
        inner = random.choice(["", "\n", "\r\nb\r\n", "\r", "\n\n\n"])
        return f'"a{inner}b"too early{comma}c{comma}d'.encode(), None, "lines"
    swallowed = end.join([f"a{comma}b{comma}c"] * random.randrange(4))
    return f'a{comma}"never closed{end}{swallowed}{end}x"y{comma}z'.encode(), None, "lines"


def _quoted(cells: list[str], comma: str) -> bytes:
    return comma.join('"' + cell.replace('"', '""') + '"' for cell in cells).encode()


def _parquet(random: Random, rows: int) -> tuple[bytes, list[Written]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    bytes_of_claims: list[bytes] = []
    days: list[int] = []
    others: list[dict[str, Any]] = []
    written: list[Written] = []
    for place in range(1, rows + 1):
        claim, day, readable = text(random), random.randrange(-10_000, 10_000), True
        content = claim.encode()
        if random.random() < 0.15:
            content, readable = content + random.choice([b"\xe9", b"\xff", b"\xed\xa0\x80"]), False
        if random.random() < 0.15:
            day, readable = random.choice([2**50, -(2**50)]), False
        other = {
            "evidence": random.choice([None, [], [{"text": text(random), "score": 0.5}]]),
            "price": random.choice([None, decimal.Decimal("1.50")]),
            "raw": random.choice([None, b"", b"\xff\x00"]),
            "word": random.choice(["a", "b", None]),
        }
        bytes_of_claims.append(content)
        days.append(day)
        others.append(other)
        when = datetime(1970, 1, 1) + timedelta(seconds=day) if readable else None
        written.append(Written(place, {"claim": claim, "day": when, **other} if readable else None))
    passage = pa.struct([("text", pa.string()), ("score", pa.float64())])
    table = pa.table(
        {
            "claim": pa.array(bytes_of_claims, pa.binary()).view(pa.string()),
            "day": pa.array(days, pa.timestamp("s")),
            "evidence": pa.array([other["evidence"] for other in others], pa.list_(passage)),
            "price": pa.array([other["price"] for other in others], pa.decimal128(10, 2)),
            "raw": pa.array([other["raw"] for other in others], pa.binary()),
            "word": pa.array([other["word"] for other in others], pa.string()).dictionary_encode(),
        }
    )
    sink = io.BytesIO()
    codec = random.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
    pq.write_table(table, sink, compression=codec, row_group_size=random.choice([1, 7, 1_000]))
    return sink.getvalue(), written
