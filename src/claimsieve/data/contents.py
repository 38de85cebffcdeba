"""Audit: what in a model's inputs gives the label away, and how labels and languages lie."""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from claimsieve.data.findings import Finding, finding
from claimsieve.data.inputs import render
from claimsieve.data.leaks import row_name
from claimsieve.records import LABELS, Claim, InputField

MIN_ROWS = 20  # fewer rows of a corpus or a language tell nothing of its balance
MAX_LABEL_SHARE = 0.9
MAX_IDENTIFIER_SHARE = 0.2
MAX_DISTINCT_SHARE = 0.95
MAX_NAMELESS_SHARE = 0.1
MAX_RATINGS = 50  # the commonest of a run; free-text verdicts are no ratings
MIN_RATED_SHARE = 0.8

_VERDICT = re.compile(
    r"\b(?:fact[- ]?check|debunk|pants on fire|our (?:ruling|rating|verdict)|we (?:rate|rated) (?:this|the|it|that)\b"
    r"|rated (?:this |it |as )?['\"“‘]?(?:true|false|mostly|half|misleading)\b|no answer could be found"
    r"|(?:is|are|was|were) (?:false|untrue|fake news|a hoax|misleading)\b)",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(
    r"https?://\S+|\bwww\.\S+|(?<!\w)@\w{2,}|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b|\b(?=\w*\d)[0-9a-f]{16,}\b|\b\d{9,}\b",
    re.IGNORECASE,
)


def find(claims: Sequence[Claim], names: Sequence[str], *, inputs: Sequence[InputField]) -> list[Finding | None]:
    """names: split name of each claim. Shape: (n,)"""
    rendered = [render(claim, inputs) for claim in claims]
    return [
        _event_names(claims),
        _rating_words(claims, rendered),
        _identifiers(claims, rendered, inputs=inputs),
        _label_balance(claims),
        _languages(claims, names),
        _two_labels(claims, rendered),
    ]


def _rating_words(claims: Sequence[Claim], rendered: Sequence[tuple[str, str]]) -> Finding | None:
    """Words of verdicts, and the corpora's own ratings; those of one word only where they go with their rating."""
    ratings = Counter(claim.rating.casefold() for claim in claims if claim.rating)
    own = {" ".join(re.findall(r"[^\W_]+", rating)): rating for rating, _ in ratings.most_common(MAX_RATINGS)}
    own.pop("", None)
    patterns = [_VERDICT]
    if own:
        spelt = (r"[\W_]+".join(map(re.escape, words.split())) for words in sorted(own))
        patterns.append(re.compile(rf"(?<!\w)(?:{'|'.join(spelt)})(?!\w)", re.IGNORECASE))
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, texts in enumerate(rendered):
        found = (match for text in texts for pattern in patterns for match in pattern.findall(text))
        for word in {" ".join(re.findall(r"[^\W_]+", match.casefold())) for match in found}:
            rows_of[word].append(row)
    telling = {word: rows for word, rows in rows_of.items() if _tells(word, rows, own, ratings, claims)}
    examples = []
    for word, rows in sorted(telling.items(), key=lambda item: (-len(item[1]), item[0])):
        counts = Counter(claims[row].label or "no label" for row in rows)
        examples.append(
            f"'{word}' in {len(rows):,} rows ({', '.join(f'{n:,} {name}' for name, n in counts.most_common())})"
        )
    return finding(
        "rating_words",
        "rows with words of a verdict in the inputs",
        "A model learns to read the verdict in place of the evidence. Take out the passages that state it, or look at "
        "the rows and accept them.",
        examples,
        count=len({row for rows in telling.values() for row in rows}),
    )


def _tells(
    word: str, rows: Sequence[int], own: Mapping[str, str], ratings: Mapping[str, int], claims: Sequence[Claim]
) -> bool:
    """Whether a word is a verdict. "True" may stand in any text; it tells when it stands with the rating "true"."""
    if " " in word or word not in own:
        return True
    same = sum((claims[row].rating or "").casefold() == own[word] for row in rows)
    return same >= MIN_RATED_SHARE * len(rows) and same >= ratings[own[word]] / 2


def _identifiers(
    claims: Sequence[Claim], rendered: Sequence[tuple[str, str]], *, inputs: Sequence[InputField]
) -> Finding | None:
    fields: dict[InputField, list[str]] = {
        "claim": [claim.claim for claim in claims],
        "source": [claim.source for claim in claims if claim.source is not None],
        "evidence": [text for _, text in rendered if text],
    }
    examples = []
    for field, values in fields.items():
        if field not in inputs or len(values) < MIN_ROWS:
            continue
        marked = sum(_IDENTIFIER.search(value) is not None for value in values)
        if marked > MAX_IDENTIFIER_SHARE * len(values):
            examples.append(f"{field}: {marked:,} of {len(values):,} hold an address, a handle or a long number")
        if field == "source" and len(set(values)) > MAX_DISTINCT_SHARE * len(values):
            examples.append(f"source: {len(set(values)):,} different ones for {len(values):,} claims")
    return finding(
        "identifiers",
        "signs that an input names the row",
        "A model can learn rows by name. Leave the field out of data.inputs, or clean it.",
        examples,
    )


def _event_names(claims: Sequence[Claim]) -> Finding | None:
    """Rows without a story, and stories that may be one under two names: what a split by group cannot keep together."""
    nameless = sum(claim.event is None for claim in claims)
    examples = []
    if nameless > MAX_NAMELESS_SHARE * len(claims):
        examples.append(
            f"{nameless:,} of {len(claims):,} claims name no event: only near-duplicates hold them together"
        )
    spellings: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for claim in claims:
        if claim.event is not None:
            spellings[" ".join(claim.event.casefold().split())].add((claim.corpus or "-", claim.event))
    for plain, found in sorted(spellings.items()):
        # Numbers and hashes count stories anew in each corpus; words name them.
        if len(found) > 1 and re.search(r"[^\W\d_]{3}", plain):
            examples.append("one story? " + ", ".join(f"'{event}' in {corpus}" for corpus, event in sorted(found)))
    return finding(
        "event_names",
        "reasons why a story may stand in two splits",
        "Give claims of one story one event, spelt alike. Events are a corpus's own, so put files of one collection "
        "into one file.",
        examples,
    )


def _label_balance(claims: Sequence[Claim]) -> Finding | None:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for claim in claims:
        counts[claim.corpus or "-"][claim.label or "no label"] += 1
    examples = []
    for corpus, found in sorted(counts.items()):
        (label, most), total = found.most_common(1)[0], found.total()
        missing = [name for name in LABELS if not found[name]]
        if total >= MIN_ROWS and (most > MAX_LABEL_SHARE * total or missing):
            lacking = f"; none {' or '.join(missing)}" if missing else ""
            examples.append(f"{corpus}: {most / total:.0%} {label}{lacking}")
    return finding(
        "label_balance",
        "corpora with nearly one label, or without one",
        "Beside others, such a corpus is known by its topic and style, and with it the label. Look at corpus_only "
        "among the shortcuts, and balance it with rows of the same style and another label.",
        examples,
    )


def _languages(claims: Sequence[Claim], names: Sequence[str]) -> Finding | None:
    by_split: dict[str, Counter[str]] = defaultdict(Counter)
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for claim, name in zip(claims, names, strict=True):
        language = claim.lang or "unknown"
        by_split[name][language] += 1
        labels[language][claim.label or "no label"] += 1
    examples = [
        f"{language}: {count:,} claims in test, none in train"
        for language, count in by_split["test"].most_common()
        if language not in by_split["train"]
    ]
    if len(labels) > 1:
        for language, found in sorted(labels.items()):
            (label, most), total = found.most_common(1)[0], found.total()
            if total >= MIN_ROWS and most > MAX_LABEL_SHARE * total:
                examples.append(f"{language}: {most / total:.0%} of {total:,} claims are {label}")
    return finding(
        "languages",
        "signs that a language is only tested, or goes with one label",
        "Add claims of that language to train, of every label, or leave it out.",
        examples,
    )


def _two_labels(claims: Sequence[Claim], rendered: Sequence[tuple[str, str]]) -> Finding | None:
    rows_of: dict[Hashable, list[int]] = defaultdict(list)
    for row, texts in enumerate(rendered):
        rows_of[_plain(texts)].append(row)
    examples = list(_contradictions(claims, rows_of.values()))
    return finding(
        "two_labels",
        "texts with two labels",
        "No model can be right on both. Merge or drop them, or show the model what tells them apart (data.inputs).",
        examples,
    )


def _contradictions(claims: Sequence[Claim], groups: Iterable[Sequence[int]]) -> Iterator[str]:
    for rows in groups:
        first = {claims[row].label: row for row in reversed(rows)}
        if len(first) > 1:
            yield " and ".join(f"{row_name(claims, row)} ({label})" for label, row in sorted(first.items(), key=str))


def _plain(texts: tuple[str, str]) -> tuple[str, ...]:
    return tuple(" ".join(text.casefold().split()) for text in texts)
