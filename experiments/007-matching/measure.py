"""From which cosine on may two claims be called one claim, and what do the checks for differences add?

CLAIMSIEVE_CORPORA=... python experiments/007-matching/measure.py        # chooses on one half, reports on the other

Writes results.md beside it. --checkpoint NAME measures another encoder; --scale measures the time of a large search.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta

from claimsieve.data import recipe_reader, recipes
from claimsieve.data.files import Reject
from claimsieve.matching.checked import Checked
from claimsieve.matching.differences import said
from claimsieve.matching.encoder import Embedded, Encoder, open_encoder
from claimsieve.matching.index import embedded_with
from claimsieve.matching.judge import Side, Verdict, judge
from claimsieve.matching.library import Library
from claimsieve.matching.near import NearTexts
from claimsieve.matching.nearest import nearest
from claimsieve.matching.thresholds import KNOWN, Thresholds
from claimsieve.records import Claim

HERE = Path(__file__).parent
PAIRS = HERE.parent.parent / "tests" / "matching" / "pairs.jsonl"
GRID = [round(0.5 + 0.01 * step, 2) for step in range(50)]
LEAST_PRECISION = 0.95  # of "similar" or better: of Snopes titles the lower end of its interval, of our pairs the share
LEAST_RECALL = 0.9  # of any match, of the paraphrases in both choosing sets
_EVERYTHING = Thresholds(1e-6, 1e-6, "")
_PER_CORPUS = 2_000
_TITLES = 4_000
_UNRELATED = 1_500


@dataclass(frozen=True, slots=True)
class Pair:
    """Two claims, whether they are one claim, where the pair is from, and in which half it is."""

    a: str
    b: str
    same: bool
    kind: str
    part: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with its cosine, and what `judge` says of it when every cosine is high enough."""

    pair: Pair
    cosine: float
    verdict: Verdict | None

    def kind_at(self, by: Thresholds) -> str | None:
        """The verdict at thresholds: differences do not hang on them."""
        if self.verdict is None:
            return None
        if self.verdict.kind == "duplicate" or self.verdict.similarity != round(self.cosine, 4):  # by 5-grams
            near = "similar" if self.verdict.kind == "similar" and self.cosine >= by.similar else "suggested"
            return "duplicate" if self.verdict.kind == "duplicate" else near
        if self.verdict.kind == "similar" and self.cosine >= by.similar:
            return "similar"
        return "suggested" if self.cosine >= by.suggested else None


def half(text: str) -> str:
    return "choose" if hashlib.blake2b(text.encode(), digest_size=2).digest()[0] % 2 else "report"


def own_pairs() -> list[Pair]:
    rows = map(json.loads, PAIRS.read_text(encoding="utf-8").splitlines())
    return [Pair(row["a"], row["b"], row["same"], row["kind"], row["part"]) for row in rows]


def corpus(name: str) -> list[Claim]:
    return [claim for claim in recipe_reader.read(recipes.load(name)) if not isinstance(claim, Reject)]


def near_misses() -> list[Pair]:
    """Claims on the same evidence that corpora give different stances: alike, and not one claim."""
    found = []
    for name, of_group in GROUPS.items():
        groups: dict[str, list[Claim]] = {}
        for claim in corpus(name):
            key = of_group(claim)
            if key and claim.stance:
                groups.setdefault(key, []).append(claim)
        pairs = []
        for key, claims in sorted(groups.items()):
            first = next((claim for claim in claims if claim.stance == "supported"), None)
            for other in claims:
                if first is not None and other.stance == "refuted" and other.claim != first.claim:
                    pairs.append(Pair(first.claim, other.claim, False, name, half(key)))
        dice = np.random.default_rng(0)
        chosen = dice.permutation(len(pairs))[:_PER_CORPUS]
        found += [pairs[place] for place in sorted(chosen.tolist())]
    return found


def _evidence(claim: Claim) -> str:
    return "\n".join(passage.text for passage in claim.evidence)


GROUPS: dict[str, Callable[[Claim], str | None]] = {
    "covidfact": lambda claim: claim.event,
    "fever_pairs": _evidence,
    "averitec": lambda claim: claim.event,
    "pairs:snli_cad": _evidence,
    "pairs:fool_me_twice": _evidence,
    "pairs:negation_nli": _evidence,
}


def vectors(encoder: Encoder, texts: Sequence[str]) -> Embedded:
    """Of the texts, each once; kept in the folder of MATCHING_INDEX, if that is set, for the next run."""
    folder = os.environ.get("MATCHING_INDEX")
    return embedded_with(Path(folder) if folder else None, encoder, texts)[0]


def judged(encoder: Encoder, pairs: Sequence[Pair]) -> list[Judged]:
    from claimsieve.data.duplicates import normalise

    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.a, pair.b)))
    embedded = vectors(encoder, texts)
    place = {text: row for row, text in enumerate(texts)}
    sides = [
        Side(said(text), None, float(embedded.unread[row]), bool(embedded.cut[row])) for row, text in enumerate(texts)
    ]
    result = []
    for pair in pairs:
        one, other = place[pair.a], place[pair.b]
        cosine = float(embedded.vectors[one].astype(np.float32) @ embedded.vectors[other].astype(np.float32))
        grams = NearTexts([normalise(pair.b)]).of([normalise(pair.a)])[0].get(0)
        result.append(Judged(pair, cosine, judge(sides[one], sides[other], cosine=cosine, grams=grams, by=_EVERYTHING)))
    return result


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for one Snopes title: cosine, whether it is of the title's own check, and the verdict."""

    part: str
    hits: list[tuple[Judged, bool]]


def titles(encoder: Encoder) -> list[Found]:
    """Snopes titles, which ask, looked up among the claims as Snopes words them: the same check in other words."""
    path = Path(os.environ["CLAIMSIEVE_CORPORA"]) / "snopes" / "snopes.jsonl"
    rows = [row for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if row["statement"]]
    statements = [" ".join(row["statement"].split()) for row in rows]
    asked = [" ".join(row["title"].split()) for row in rows]
    sampled = set(np.random.default_rng(0).permutation(len(rows))[:_TITLES].tolist())
    place = {text: row for row, text in enumerate(dict.fromkeys([*statements, *asked]))}
    every = vectors(encoder, list(place)).vectors
    theirs, ours = every[[place[text] for text in statements]], every[[place[text] for text in asked]]
    found: list[list[tuple[int, float]]] = [[] for _ in rows]
    hits = nearest(ours, theirs, least=GRID[0], most=8)
    for row, other, cosine in zip(*(part.tolist() for part in hits), strict=True):
        found[row].append((other, cosine))
    result = []
    their_sides = [Side(said(text)) for text in statements]
    for row, near in enumerate(found):
        if row not in sampled:
            continue
        part = half(rows[row]["url"])
        side = Side(said(asked[row]))
        hits_of_row = []
        for other, cosine in near:
            verdict = judge(side, their_sides[other], cosine=cosine, grams=None, by=_EVERYTHING)
            is_own = rows[other]["url"] == rows[row]["url"] or statements[other] == statements[row]
            pair = Pair(asked[row], statements[other], is_own, "snopes title", part)
            hits_of_row.append((Judged(pair, cosine, verdict), is_own))
        result.append(Found(part, hits_of_row))
    return result


def of_titles(found: Sequence[Found], by: Thresholds) -> dict[str, tuple[int, int]]:
    """Counts of (hits, all): precision and recall of "similar" as best match, recall of any of three matches."""
    right = wrong = shown = 0
    for one in found:
        kinds = [(hit.kind_at(by), hit.cosine, is_own) for hit, is_own in one.hits]
        sure = [(cosine, is_own) for kind, cosine, is_own in kinds if kind in ("similar", "duplicate")]
        if sure:
            best = max(sure)
            right, wrong = right + best[1], wrong + (not best[1])
        order = sorted(
            kinds, key=lambda kind: ({"duplicate": 0, "similar": 1, "suggested": 2}.get(str(kind[0]), 3), -kind[1])
        )
        shown += any(is_own for kind, _, is_own in order[:3] if kind is not None)
    return {
        "precision of similar": (right, right + wrong),
        "recall of similar": (right, len(found)),
        "recall of any of three": (shown, len(found)),
    }


def of_pairs(rows: Sequence[Judged], by: Thresholds) -> dict[str, tuple[int, int]]:
    kinds = [(row.pair.same, row.kind_at(by)) for row in rows]
    sure = [same for same, kind in kinds if kind in ("similar", "duplicate")]
    count = sum(same for same, _ in kinds)
    return {
        "precision of similar": (sum(sure), len(sure)),
        "recall of similar": (sum(sure), count),
        "recall of any match": (sum(same and kind is not None for same, kind in kinds), count),
        "near misses called similar": (len(sure) - sum(sure), len(kinds) - count),
    }


def choose(own: Sequence[Judged], found: Sequence[Found]) -> Thresholds:
    """On the choosing halves only. similar: the lowest cosine from which on precision stays. suggested: the highest one
    that keeps the asked share of paraphrases."""
    own = [row for row in own if row.pair.part == "choose"]
    found = [one for one in found if one.part == "choose"]
    similar = 0.8
    for cosine in [step for step in reversed(GRID) if step <= similar]:  # above, there are too few to judge by
        by = Thresholds(cosine, GRID[0], "")
        right, named = of_titles(found, by)["precision of similar"]
        sure, all_sure = of_pairs(own, by)["precision of similar"]
        if (right and beta.ppf(0.025, right, named - right + 1) < LEAST_PRECISION) or (
            all_sure and sure / all_sure < LEAST_PRECISION
        ):
            break
        similar = cosine
    cosines = [row.cosine for row in own if row.pair.same]
    of_own = [max([hit.cosine for hit, is_own in one.hits if is_own], default=0.0) for one in found]
    kept = min(np.quantile(cosines, 1 - LEAST_RECALL), np.quantile(of_own, 1 - LEAST_RECALL))
    suggested = max([cosine for cosine in GRID if cosine <= kept], default=GRID[0])
    return Thresholds(similar, min(suggested, similar), "")


def interval(hits: int, count: int) -> str:
    """A share with its exact 95 % interval (Clopper & Pearson 1934)."""
    if not count:
        return "–"
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return f"{hits / count:.3f} [{low:.3f}, {high:.3f}], {hits:,} of {count:,}".replace("0.", ".")


def unrelated(encoder: Encoder, by: Thresholds) -> dict[str, tuple[int, int]]:
    """AVeriTeC claims looked up among Snopes claims: of most there is no check, so what is found is a burden."""
    every = sorted({" ".join(claim.claim.split()) for claim in corpus("averitec")})
    asked = [every[row] for row in np.random.default_rng(0).permutation(len(every))[:_UNRELATED].tolist()]
    folder = os.environ.get("MATCHING_INDEX")
    index = Path(folder) if folder else None
    library = Library([Checked(claim.claim) for claim in corpus("snopes")], encoder, index=index)
    found = library.matches(asked, [None] * len(asked), by=by, most=3)
    best = [matches[0][0].kind if matches else None for matches in found]
    return {kind: (best.count(kind), len(asked)) for kind in ("duplicate", "similar", "suggested")}


def lines(encoder: Encoder, name: str) -> Iterator[str]:
    own, misses, found = judged(encoder, own_pairs()), judged(encoder, near_misses()), titles(encoder)
    by = choose(own, found)
    yield f"## {name} ({encoder.precision})\n"
    yield f"Chosen: similar {by.similar}, suggested {by.suggested}.\n"
    for part in ("choose", "report"):
        yield f"\n### the half to {part}\n"
        yield "| pairs | measure | share [95 %] |\n|---|---|---|"
        tables = {"our pairs": of_pairs([row for row in own if row.pair.part == part], by)}
        tables["Snopes titles"] = of_titles([one for one in found if one.part == part], by)
        for corpus_name in GROUPS:
            rows = [row for row in misses if row.pair.kind == corpus_name and row.pair.part == part]
            counts = of_pairs(rows, by)
            alone = sum(row.cosine >= by.similar for row in rows)
            key = "near misses called similar"
            tables[corpus_name] = {key: counts[key], "the same by cosine alone": (alone, len(rows))}
        for table, measures in tables.items():
            for measure, counted in measures.items():
                yield f"| {table} | {measure} | {interval(*counted)} |"
    yield "\n### our pairs in the reporting half, by kind\n"
    yield "| kind | n | similar or duplicate | suggested | nothing | called similar by cosine alone |"
    yield "|---|---|---|---|---|---|"
    reported = [row for row in own if row.pair.part == "report"]
    for kind in dict.fromkeys(row.pair.kind for row in reported):
        rows = [row for row in reported if row.pair.kind == kind]
        kinds = [row.kind_at(by) for row in rows]
        sure = sum(one in ("similar", "duplicate") for one in kinds)
        alone = sum(row.cosine >= by.similar for row in rows)
        yield f"| {kind} | {len(rows)} | {sure} | {kinds.count('suggested')} | {kinds.count(None)} | {alone} |"
    yield "\n### the threshold of similar, swept (choosing half)\n"
    yield "| cosine | our pairs: precision | recall | Snopes titles: precision | recall |\n|---|---|---|---|---|"
    for cosine in GRID[::5]:
        at = Thresholds(cosine, GRID[0], "")
        ours = of_pairs([row for row in own if row.pair.part == "choose"], at)
        theirs = of_titles([one for one in found if one.part == "choose"], at)
        cells = [
            interval(*table[name]) for table in (ours, theirs) for name in ("precision of similar", "recall of similar")
        ]
        yield f"| {cosine:.2f} | " + " | ".join(cells) + " |"
    yield "\n### claims that were mostly never checked: AVeriTeC looked up in Snopes\n"
    yield "| best match | share of claims [95 %] |\n|---|---|"
    for kind, counted in unrelated(encoder, by).items():
        yield f"| {kind} | {interval(*counted)} |"


def scale(encoder: Encoder) -> Iterator[str]:
    """100,000 claims of the entailment sets as checked ones, 10,000 others looked up."""
    texts: dict[str, None] = {}
    for name in (
        "pairs:lingnli",
        "pairs:fragments",
        "pairs:snli_cad",
        "pairs:taxinli",
        "pairs:control_nli",
        "liar",
        "fever_pairs",
        "snopes",
        "euvsdisinfo",
        "ptc",
        "babe",
        "pairs:med",
        "pairs:fool_me_twice",
        "pairs:negation_nli",
        "averitec",
        "covidfact",
    ):
        for claim in corpus(name):
            texts[claim.claim] = None
            texts.update(dict.fromkeys(passage.text[:200] for passage in claim.evidence))
    dice = np.random.default_rng(0)
    chosen = dice.permutation(len(texts))[:110_000]
    every = list(texts)
    known, asked = [every[row] for row in chosen[:100_000]], [every[row] for row in chosen[100_000:]]
    start = time.perf_counter()
    library = Library([Checked(text) for text in known], encoder)
    built = time.perf_counter() - start
    start = time.perf_counter()
    by = KNOWN.get(encoder.fingerprint, Thresholds(0.8, 0.6, ""))
    found = library.matches(asked, [None] * len(asked), by=by, most=3)
    searched = time.perf_counter() - start
    yield f"{len(known):,} checked claims laid out in {built:.0f} s; {len(asked):,} looked up in {searched:.0f} s"
    yield f"({sum(map(bool, found)):,} of them with a match)"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--scale", action="store_true")
    arguments = parser.parse_args()
    encoder = open_encoder(arguments.checkpoint, precision=arguments.precision)
    if arguments.scale:
        print("\n".join(scale(encoder)))
        return
    text = "\n".join(lines(encoder, arguments.checkpoint)) + "\n"
    print(encoder.fingerprint)
    if arguments.checkpoint == "default":
        (HERE / "results.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
