"""The corpora of a run as one list of claims, with what had to be left out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.fields import apply_rating, check_changes, check_ratings, columns_of, field_mapper
from claimsieve.data.files import Reject, Row, columns, format_of, read_rows, record_cells
from claimsieve.data.hub import read_hub
from claimsieve.data.packed import unpacked_name
from claimsieve.data.rows import MAX_REJECTED_SHARE
from claimsieve.errors import ConfigError, DataError
from claimsieve.records import Claim, RecordError, claim_from_row
from claimsieve.settings import Corpus


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of a corpus that could not be read."""

    corpus: str
    rejects: tuple[Reject, ...]


def load(
    corpora: Sequence[Corpus], *, maps: Mapping[str, Mapping[str, str | None]] = {}
) -> tuple[list[Claim], list[LeftOut]]:
    """Every labelled claim of the corpora, and the rows that could not be read.

    maps: corpus → rating → what it becomes in this run in place of what its recipe says.
    Raises ConfigError when `maps` names what is not there. Raises DataError when a corpus is empty, has claims without
    a label or more than 5 % unreadable rows, or when an id occurs twice.
    """
    claims: list[Claim] = []
    left_out: list[LeftOut] = []
    names = check_corpora(corpora, maps=maps)
    for name, corpus in zip(names, corpora, strict=True):
        found, rejects = _sorted(name, read(corpus, name=name, changes=maps.get(name, {})))
        claims += found if corpus.max_claims is None else _drawn(found, corpus.max_claims)
        if rejects:
            left_out.append(LeftOut(name, tuple(rejects)))
    _check_ids(claims)
    return claims, left_out


def check_corpora(corpora: Sequence[Corpus], *, maps: Mapping[str, Mapping[str, str | None]] = {}) -> list[str]:
    """What can be known without reading them: recipes, maps and ratings. Returns the names of the corpora.

    Raises ConfigError.
    """
    names = corpus_names(corpora)
    ratings = {name: ratings_of(corpus) for name, corpus in zip(names, corpora, strict=True)}
    for name, corpus in zip(names, corpora, strict=True):
        check_ratings(ratings[name], place=name)
        field_mapper(corpus.map, place=name)
    check_changes(maps, ratings)
    return names


def load_labelled(
    source: str, *, mapping: Mapping[str, str] = {}, ratings: Mapping[str, str | None] = {}
) -> tuple[list[Claim], list[Reject]]:
    """Labelled claims of a file, '-' or 'recipe:NAME', and its unreadable rows.

    Raises DataError as `load` does, and when the mapping names what is on no row.
    """
    if source.startswith("recipe:"):
        if mapping or ratings:
            raise ConfigError(f"{source} has a field map and ratings of its own: --map and --rating are for files.")
        items = recipe_reader.read(recipes.load(source.removeprefix("recipe:")))
    else:
        items = read_file(source, mapping=mapping, ratings=ratings, every_column=bool(mapping))
    found, rejects = _sorted(source, items)
    _check_ids(found)
    return found, rejects


def corpus_names(corpora: Sequence[Corpus]) -> list[str]:
    """The name of each; two parts of one dataset are two corpora, since their rows have numbers of their own."""
    names: list[str] = []
    of_recipes = {corpus_name(corpus) for corpus in corpora if corpus.recipe is not None}
    for corpus in corpora:
        name = corpus_name(corpus)
        while corpus.recipe is None and (name in names or name in of_recipes):
            name += "+"
        names.append(name)
    return names


def corpus_name(corpus: Corpus) -> str:
    """What the corpus is called in records, metrics and slices."""
    if corpus.recipe is not None:
        return recipes.load(corpus.recipe).name
    return Path(unpacked_name(corpus.file)).stem if corpus.file is not None else str(corpus.hub).replace("/", "_")


def read(corpus: Corpus, *, name: str, changes: Mapping[str, str | None] = {}) -> Iterator[Claim | Reject]:
    """The claims of one corpus in order, and its unreadable rows; of a Hugging Face dataset the first `max_claims`.

    name: stands before each id. changes: rating → what it becomes in place of what the corpus's own map says.
    """
    if corpus.recipe is not None:
        items = recipe_reader.read(recipes.load(corpus.recipe), changes=changes)
    elif corpus.file is not None:
        items = read_file(
            corpus.file,
            mapping=corpus.map,
            ratings=corpus.ratings,
            corpus=name,
            changes=changes,
            every_column=bool(corpus.map),
        )
    else:
        hub, part = str(corpus.hub), corpus.hub_split
        rows: Iterable[Row | Reject] = read_hub(hub, config=corpus.hub_config, split=part, revision=corpus.hub_revision)
        if corpus.map:
            rows = _with_columns(rows, hub, corpus.map)
        items = _claims(
            rows, hub, mapping=corpus.map, ratings=corpus.ratings, corpus=name, tabular=True, changes=changes
        )
    count = 0
    for item in items:
        yield item
        count += isinstance(item, Claim)
        if corpus.hub is not None and count == corpus.max_claims:
            return


def read_file(
    name: str,
    *,
    mapping: Mapping[str, str],
    ratings: Mapping[str, str | None] = {},
    corpus: str | None = None,
    changes: Mapping[str, str | None] = {},
    every_column: bool = False,
) -> Iterator[Claim | Reject]:
    """Claims of a file ('-' for standard input). Ids are prefixed with the corpus when one is named.

    mapping: record field → column of the file. changes: as in `read`. every_column: of JSON Lines too, all that the
    mapping names must be on some row.
    Raises DataError when the file has no column for the claim.
    """
    tabular, rows = format_of(name) != "jsonl", read_rows(name)
    if tabular:
        require_columns(name, columns(name), mapping)
    elif every_column:
        rows = _with_columns(rows, name, mapping)
    yield from _claims(rows, name, mapping=mapping, ratings=ratings, corpus=corpus, tabular=tabular, changes=changes)


def _with_columns(rows: Iterable[Row | Reject], name: str, mapping: Mapping[str, str]) -> Iterator[Row | Reject]:
    """The same rows; at their end raises DataError when a column that the map names was on none of them."""
    found: dict[str, None] = {}
    for row in rows:
        if isinstance(row, Row):
            found.update(dict.fromkeys(row.fields))
        yield row
    require_columns(name, list(found), mapping)


def _claims(
    rows: Iterable[Row | Reject],
    place: str,
    *,
    mapping: Mapping[str, str],
    ratings: Mapping[str, str | None],
    corpus: str | None,
    tabular: bool,
    changes: Mapping[str, str | None],
) -> Iterator[Claim | Reject]:
    check_ratings(ratings, place=place)
    mapper = field_mapper(mapping, place=place)
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        try:
            fields = record_cells(mapper(row.fields)) if tabular else mapper(row.fields)
            rated = apply_rating(fields, ratings, place=f"{place}, row {row.place}", changes=changes)
            if rated is not None:
                claim = claim_from_row(rated)
                yield claim if corpus is None else _named(claim, corpus, row.place)
        except RecordError as error:
            yield Reject(row.place, str(error), str(row.fields)[:200])


def require_columns(name: str, found: Sequence[str], mapping: Mapping[str, str], *, option: str = "--map") -> None:
    """Raises DataError when a table lacks the claim's column, or one that the map names. An empty file is no table.

    option: that the map was given by.
    """
    if not found:
        return
    for field, wanted in {"claim": "claim", **mapping}.items():
        heads = columns_of(wanted)  # of a path into a nested column; none of a literal
        if wanted in found or "(" in wanted or not heads or any(head in found for head in heads):
            continue
        listed = ", ".join(f"'{column}'" for column in found[:12])
        likely = [column for column in found if column.lower() in ("text", "statement", "tweet", "content")]
        column = likely[0] if likely and field == "claim" else "COLUMN"
        if len(found) == 1 and ";" in found[0]:
            raise DataError(
                f"{name}: expected columns with commas between them, found semicolons. Save the table with commas, or "
                "with tabs as .tsv."
            )
        raise DataError(
            f"{name}: expected a column '{wanted}', found {listed}. Map it: {option} {field}={column} "
            f"(in a config: map: {{{field}: {column}}})"
        )


def ratings_of(corpus: Corpus) -> Mapping[str, str | None]:
    """The corpus's own map of ratings."""
    return corpus.ratings if corpus.recipe is None else recipes.load(corpus.recipe).ratings


def _named(claim: Claim, corpus: str, number: int) -> Claim:
    return replace(claim, id=f"{corpus}:{claim.id or number}", corpus=claim.corpus or corpus)


def _drawn(claims: Sequence[Claim], most: int) -> list[Claim]:
    """At most so many, in their order: whole stories by a hash, as the first rows of a file are often of one kind."""

    def draw(claim: Claim) -> bytes:
        story = claim.claim if claim.event is None else claim.event
        return blake2b(f"{claim.corpus}\0{story}".encode(), digest_size=8).digest()

    chosen = sorted(range(len(claims)), key=lambda row: (draw(claims[row]), row))[:most]
    return [claims[row] for row in sorted(chosen)]


def _sorted(name: str, items: Iterator[Claim | Reject]) -> tuple[list[Claim], list[Reject]]:
    """Claims and unreadable rows apart; raises DataError when they do not make a corpus."""
    found: list[Claim] = []
    rejects: list[Reject] = []
    for item in items:
        if isinstance(item, Reject):
            rejects.append(item)
        else:
            found.append(item)
    _check(name, found, rejects)
    return found, rejects


def _check(name: str, found: Sequence[Claim], rejects: Sequence[Reject]) -> None:
    total = len(found) + len(rejects)
    if len(rejects) > MAX_REJECTED_SHARE * total:
        reasons = Counter(reject.reason for reject in rejects).most_common(3)
        listed = "; ".join(f"{reason} ({count} rows)" for reason, count in reasons)
        raise DataError(
            f"{name}: expected at most {MAX_REJECTED_SHARE:.0%} unreadable rows, found {len(rejects):,} of {total:,}: "
            f"{listed}. First: row {rejects[0].place}."
        )
    if not found:
        raise DataError(f"{name}: expected labelled claims, found no rows.")
    unlabelled = [claim.id for claim in found if claim.label is None]
    if unlabelled:
        raise DataError(
            f"{name}: expected a label on every claim, found none on {len(unlabelled):,} of {len(found):,} "
            f"(first: {unlabelled[0]}). Map the corpus's own verdicts: --map rating=COLUMN --rating VERDICT=LABEL "
            "(in a config: map and ratings)"
        )


def _check_ids(claims: Sequence[Claim]) -> None:
    counts = Counter(claim.id for claim in claims if claim.id is not None)
    doubled = [str(name) for name, count in counts.items() if count > 1]
    if doubled:
        raise DataError(
            f"expected every id once, found {len(doubled):,} ids on several rows: {', '.join(doubled[:5])}"
            f"{', ...' if len(doubled) > 5 else ''}. Give each row an id of its own, or leave the ids out."
        )
