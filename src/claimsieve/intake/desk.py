"""From articles to rows: read, find claims, choose evidence for each, and write it all down."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimsieve.errors import ConfigError, DataError
from claimsieve.file_names import written_name
from claimsieve.intake.articles import Article, Document, Found
from claimsieve.intake.claims import claims_of
from claimsieve.intake.evidence import Limits, Pool
from claimsieve.intake.media import Album
from claimsieve.intake.passages import Passage, passages_of, remarks_of
from claimsieve.intake.reading import read_document
from claimsieve.models.artifacts import check_outside
from claimsieve.records import Claim, row_of_claim
from claimsieve.whole_files import check_folder, write_file

UNNAMED = "unnamed sources"

ARTICLES, CLAIMS, LABELLED, PAGE = "article.json", "claims.jsonl", "labelled.jsonl", "page.html"
OUTPUTS = (ARTICLES, CLAIMS, LABELLED, PAGE, *(f"{stem}.rejects.jsonl" for stem in ("evidence", "against", LABELLED)))

_FACTS = ("name", "title", "text", "date", "author", "outlet", "url", "lang")


@dataclass(frozen=True, slots=True)
class Intake:
    """What a job found. articles, rows: as they are written. rejects: (name, why) of articles that cannot be used.

    warnings: what a person should know, a line each.
    """

    articles: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]
    rejects: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()


def take_in(
    names: Sequence[str],
    *,
    evidence: Sequence[Passage] = (),
    limits: Limits | None = None,
    similarity: bool = True,
    allow_private: bool = False,
    album: Album | None = None,
    advance: Callable[[str], None] = lambda name: None,
) -> Intake:
    """Read articles, find their claims, and choose evidence for each from all of them and from `evidence`.

    limits: of the evidence. similarity: search by meaning too, and not by words alone. album: names the pictures of
    claims, which have none without one. advance: is told what is read.
    An article that cannot be used is a reject, and the others go on.
    """
    found: list[tuple[Document, list[Found]]] = []
    rejects: list[tuple[str, str]] = []
    for name in names:
        advance(name)
        try:
            document = _named(read_document(name, allow_private=allow_private), written_name(name), found)
            found.append((document, claims_of(document)))
        except DataError as error:
            rejects.append((written_name(name), written_name(str(error))))
    passages = [passage for document, claims in found for passage in passages_of(document, claims)]
    limits = limits or Limits()
    search = similarity and limits.passages > 0 and any(claims for _, claims in found)
    pool = Pool([*passages, *evidence], limits=limits, embedder=_embedder() if search else None)
    rows = tuple(row for document, claims in found for row in rows_of(document, claims, pool, album))
    articles = tuple({fact: getattr(document.article, fact) for fact in _FACTS} for document, _ in found)
    return Intake(articles, rows, tuple(rejects), tuple(_warnings(found)))


def rows_of(
    document: Document, claims: Sequence[Found], pool: Pool, album: Album | None = None
) -> Iterator[dict[str, Any]]:
    """A claim record for each claim, with its article, its span there, and how it stands there (context)."""
    article = document.article
    for number, one in enumerate(claims, start=1):
        remarks = remarks_of(document, one)
        claim = Claim(
            claim=one.claim,
            id=f"{article.name}-{number}",
            source=one.speaker or _origin(one, article),
            date=one.date or article.date,
            evidence=pool.evidence_for(one, article=article.name, first=remarks),
            media=album.names(one.pictures, article) if album is not None else (),
            lang=article.lang,
        )
        yield row_of_claim(claim) | {"article": article.name, "span": list(one.span), "context": one.context}


def _origin(one: Found, article: Article) -> str | None:
    """Who published words that nobody is named for."""
    if one.context == "report":
        return UNNAMED
    return one.origin or article.outlet


def write_intake(intake: Intake, directory: Path) -> list[Path]:
    """article.json and claims.jsonl, each whole or not at all. Returns their paths; raises DataError."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in intake.rows)
    articles = json.dumps(list(intake.articles), ensure_ascii=False, indent=1) + "\n"
    paths = [directory / ARTICLES, directory / CLAIMS]
    for path, content in zip(paths, (articles, lines), strict=True):
        write_file(path, content.encode())
    return paths


def check_directory(directory: Path, *, inputs: Sequence[str] = ()) -> None:
    """Raises ConfigError when the output cannot be a folder, or would take the place of an input or of other files.

    ModelError when it lies in a model directory, DataError when it cannot be written. Nothing is yet.
    """
    if directory.exists() and not directory.is_dir():
        raise ConfigError(f"{directory}: expected a folder for the output, found a file. Choose another with -o.")
    check_outside(directory / CLAIMS)
    there = [name for name in OUTPUTS if (directory / name).exists()]
    if folders := [name for name in there if not (directory / name).is_file()]:
        raise ConfigError(f"{directory / folders[0]}: expected a file or none, found a folder. Choose another with -o.")
    own = {(directory / name).resolve(): name for name in OUTPUTS}
    for given in inputs:
        if (name := own.get(Path(given).resolve())) is not None:
            raise ConfigError(
                f"{given}: expected another folder for the output than that of an input which is called as the output "
                f"is, {name}. Choose another with -o."
            )
    if there and ARTICLES not in there:
        raise ConfigError(
            f"{directory / there[0]}: expected a new folder or that of an earlier run, found a file that would be "
            f"written over, and no {ARTICLES} beside it. Choose another with -o."
        )
    check_folder(directory)


def remove_earlier(directory: Path) -> list[str]:
    """Take away labels and page of an earlier run: they are of claims that stand there no more. Returns their names.

    A folder that holds no earlier run keeps what it has.
    """
    if not all((directory / name).is_file() for name in (ARTICLES, CLAIMS)):
        return []
    stale = [name for name in (LABELLED, PAGE) if (directory / name).is_file()]
    for name in stale:
        (directory / name).unlink()
    return stale


def labelled_rows(directory: Path) -> list[dict[str, Any]]:
    """The rows of labelled.jsonl."""
    text = (directory / LABELLED).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def _named(document: Document, given: str, found: Sequence[tuple[Document, list[Found]]]) -> Document:
    """The document under a name of its own: two files called alike are told apart by their paths."""
    names = {other.article.name for other, _ in found}
    if document.article.name not in names:
        return document
    if given in names:
        raise DataError(f"{given}: expected each article once, found it again.")
    return replace(document, article=replace(document.article, name=given))


def _embedder() -> Any:
    from claimsieve.intake.similarity import Embedder

    return Embedder()


def _warnings(found: Sequence[tuple[Document, list[Found]]]) -> Iterator[str]:
    for document, claims in found:
        article = document.article
        if article.lang != "en":
            yield (
                f"{article.name}: is not in English, so every sentence was taken as the article's own statement; who "
                "says what was not looked for"
            )
        if article.date is None:
            yield f"{article.name}: has no date, so its claims and passages have none"
        if not claims:
            yield f"{article.name}: has no sentence that states something to check"


def summary(intake: Intake) -> dict[str, Any]:
    """What was found, as JSON."""
    counts: dict[str, int] = {}
    for row in intake.rows:
        counts[row["context"]] = counts.get(row["context"], 0) + 1
    return {
        "articles": len(intake.articles),
        "claims": len(intake.rows),
        "contexts": counts,
        "without_evidence": sum("evidence" not in row for row in intake.rows),
        "rejects": [{"article": name, "reason": reason} for name, reason in intake.rejects],
        "warnings": list(intake.warnings),
    }
