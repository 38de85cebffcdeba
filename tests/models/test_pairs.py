"""A claim and its evidence as the tokenizer itself pairs them; long evidence whole in pieces, the claim beside each."""

from functools import cache
from itertools import pairwise

import made_tokenizers
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from claimsieve.data.inputs import render
from claimsieve.errors import ModelError
from claimsieve.models.pairs import PairEncoder
from claimsieve.records import MAX_CLAIM_CHARACTERS, MAX_EVIDENCE_CHARACTERS, Claim, Evidence

FAMILIES = tuple(made_tokenizers.FAMILIES)
NO_LIMIT = 100_000
BOTH = ("claim", "evidence")
INPUTS = (BOTH, ("claim",), ("evidence",), ("claim", "evidence", "source", "date"))


@cache
def tokenizer_of(family):
    return made_tokenizers.of_family(family)


@cache
def encoder_of(family, inputs=BOTH, max_tokens=NO_LIMIT):
    return PairEncoder(tokenizer_of(family), inputs=inputs, max_tokens=max_tokens)


def claim_of(text, *passages, **more):
    return Claim(text, evidence=tuple(map(Evidence, passages)), **more)


def by_transformers(family, claims, inputs):
    """What the tokenizer makes of the rendered texts."""
    sides = [render(claim, inputs) for claim in claims]
    seconds = [second for _, second in sides] if "evidence" in inputs else None
    return tokenizer_of(family)([first for first, _ in sides], seconds, truncation=False, padding=False)


def sides_of(family, piece, *, inputs=BOTH):
    """The ids of a piece's claim and of its evidence, found by what the family puts around them."""
    before, between, after = around(family, inputs)
    ids = list(piece)
    assert ids[: len(before)] == before
    assert ids[len(ids) - len(after) :] == after
    inner = ids[len(before) : len(ids) - len(after)]
    place = next(n for n in range(len(inner) + 1) if inner[n : n + len(between)] == between)
    return inner[:place], inner[place + len(between) :]


@cache
def around(family, inputs):
    """The special tokens of an empty pair, cut where the texts of a full one stand."""
    backend = tokenizer_of(family).backend_tokenizer
    pair = backend.encode("hit", "hit")
    sides = pair.sequence_ids
    first = [place for place, side in enumerate(sides) if side == 0]
    second = [place for place, side in enumerate(sides) if side == 1]
    return pair.ids[: first[0]], pair.ids[first[-1] + 1 : second[0]], pair.ids[second[-1] + 1 :]


def own_ids(family, text):
    return tokenizer_of(family).backend_tokenizer.encode(text, add_special_tokens=False).ids


words = st.sampled_from(
    (*made_tokenizers.WORDS.split(), "", "  ", "中 文", "\u00a0", "[MASK]", "</s>", "don't", "zzz", "\n")
)
texts = st.lists(words | st.text(st.characters(codec="utf-8"), max_size=4), max_size=8).map(" ".join)
passages = st.builds(Evidence, texts, source=st.none() | texts, date=st.sampled_from([None, "2020-01"]))
claims = st.lists(
    st.builds(Claim, texts, source=st.none() | texts, evidence=st.lists(passages, max_size=3).map(tuple)), max_size=4
)


# --- rows that fit


@pytest.mark.parametrize("family", FAMILIES)
@given(claims, st.sampled_from(INPUTS))
@example(
    [Claim("the bridge"), claim_of("", ""), claim_of("hit", "", ""), claim_of("[SEP] a", "[SEP]", "b [SEP]")], BOTH
)
@example([Claim("the bridge"), Claim("")], ("claim",))
@example([], BOTH)
@settings(max_examples=40, deadline=None)
def test_a_pair_that_fits_is_as_the_tokenizer_makes_it(family, claims, inputs):
    pairs = encoder_of(family, inputs)(claims)
    assert (pairs.owners.tolist(), pairs.count, len(pairs.in_pieces), len(pairs.cut)) == (
        list(range(len(claims))),
        len(claims),
        0,
        0,
    )
    if not claims:
        assert pairs.ids == []
        return
    expected = by_transformers(family, claims, inputs)
    assert pairs.ids == expected["input_ids"]
    assert pairs.segments == expected.get("token_type_ids")


def test_the_families_differ_in_what_they_put_around_two_texts():
    """So that the tests above see all there is."""
    shapes = {family: tuple(map(len, around(family, BOTH))) for family in FAMILIES}
    assert shapes == {
        **dict.fromkeys(["bert", "bert without segments", "modernbert", "deberta"], (1, 1, 1)),
        "roberta": (1, 2, 1),
        "no special tokens": (0, 0, 0),
    }
    segmented = {family for family in FAMILIES if encoder_of(family)([claim_of("a", "b")]).segments is not None}
    assert segmented == {"bert", "deberta"}


def test_a_pair_of_exactly_the_limit_is_whole_and_one_token_more_is_not():
    claim = claim_of("the bridge", "officials of both sides confirm it and nobody checks")
    (whole,) = encoder_of("bert")([claim]).ids
    pairs = encoder_of("bert", max_tokens=len(whole))([claim])
    assert (pairs.ids, len(pairs.in_pieces), len(pairs.cut)) == ([whole], 0, 0)
    pairs = encoder_of("bert", max_tokens=len(whole) - 1)([claim])
    assert (len(pairs.ids) > 1, len(pairs.in_pieces)) == (True, 1)


def test_a_tokenizer_that_leaves_nothing_of_a_letter_is_refused():
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    deaf = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"b": 0}, unk_token="?")))
    deaf.backend_tokenizer.model = models.BPE({}, [])
    with pytest.raises(ModelError, match="expected a tokenizer that reads the letter a"):
        PairEncoder(deaf, inputs=BOTH, max_tokens=16)


# --- long evidence

INVISIBLE = "\u200d"  # BERT's tokenizer leaves nothing of it
long_passages = st.lists(
    st.just(INVISIBLE) | st.lists(st.sampled_from("bdfghkl"), min_size=1, max_size=30).map(" ".join), max_size=8
)


def letters(family, ids):
    """What the ids say, without the blanks, which may stand in the token behind them."""
    return "".join(tokenizer_of(family).backend_tokenizer.decode(ids, skip_special_tokens=False).split())


@pytest.mark.parametrize("family", ["bert", "deberta", "modernbert"])
@given(st.integers(0, 30), long_passages, st.integers(8, 40))
@example(1, ["d d", "d d"], 8)
@settings(max_examples=60, deadline=None)
def test_long_evidence_is_read_whole_in_pieces_that_fit(family, claim_words, texts, max_tokens):
    claim = claim_of(" ".join(["a"] * claim_words), *texts)
    pairs = encoder_of(family, max_tokens=max_tokens)([claim])
    assert max(map(len, pairs.ids)) <= max_tokens
    assert pairs.owners.tolist() == [0] * len(pairs.ids)
    before, between, after = around(family, BOTH)
    room = max_tokens - len(before) - len(between) - len(after)
    own_claim, whole = own_ids(family, claim.claim), own_ids(family, " ".join(texts))
    sides = [sides_of(family, piece) for piece in pairs.ids]

    # The claim: the same beside each piece, from its beginning; whole, or at least half of the room.
    (shown,) = {tuple(first) for first, _ in sides}
    assert list(shown) == own_claim[: len(shown)]
    assert len(shown) >= min(len(own_claim), room // 2)
    assert len(pairs.cut) == (len(shown) < len(own_claim))
    assert not (len(pairs.cut) and len(shown) < min(len(own_claim), room - len(whole)))

    # The evidence: in one piece where it fits; else never squeezed out, all of it in its order, without gaps.
    seconds = [second for _, second in sides]
    assert len(pairs.in_pieces) == (len(seconds) > 1)
    assert len(seconds) == 1 or len(shown) + len(whole) > room
    assert not whole or all(seconds)
    all_of_it = letters(family, whole)
    places = {(0, 0)}  # where the last piece may begin, and how far all of them then reach: letters repeat
    for text in (letters(family, second) for second in seconds):
        places = {
            (start, max(covered, start + len(text)))
            for position, covered in places
            for start in range(position, covered + 1)
            if all_of_it.startswith(text, start)
        }
        assert places, "a piece that is no stretch of the evidence, or that leaves a gap before it"
    assert len(all_of_it) in {covered for _, covered in places}


@given(long_passages, st.integers(12, 40))
@settings(max_examples=60, deadline=None)
def test_passages_stay_whole_where_they_fit_and_only_torn_ones_overlap(texts, max_tokens):
    """In BERT's tokenizer each word of one letter is one token, so that pieces can be read as words."""
    texts = [f"{text} {number}" for number, text in enumerate(texts)]  # no two alike; digits are one token each
    pairs = encoder_of("bert", max_tokens=max_tokens)([claim_of("a a a", *texts)])
    room = max_tokens - 3 - 3
    pieces = [tuple(sides_of("bert", ids)[1]) for ids in pairs.ids]
    contained = {
        number: [place for place, piece in enumerate(pieces) if stands_in(own_ids("bert", text), piece)]
        for number, text in enumerate(texts)
    }
    for number, text in enumerate(texts):
        fits = len(own_ids("bert", text)) <= room
        assert bool(contained[number]) == fits
    if all(contained.values()):  # nothing is torn, so nothing is read twice
        assert sum(map(len, pieces)) == sum(len(own_ids("bert", text)) for text in texts)


def stands_in(part, whole):
    return any(tuple(whole[n : n + len(part)]) == tuple(part) for n in range(len(whole) - len(part) + 1))


def test_a_torn_passage_is_read_again_by_a_quarter():
    text = " ".join("bdfghkl"[n * n % 7] for n in range(100))
    pairs = encoder_of("bert", max_tokens=26)([claim_of("a a a", text)])  # 20 tokens of evidence a piece
    pieces = [sides_of("bert", ids)[1] for ids in pairs.ids]
    assert [len(piece) for piece in pieces] == [20] * len(pieces)
    for one, next_ in pairwise(pieces[:-1]):
        assert one[15:] == next_[:5]
    assert pieces[-1] == own_ids("bert", text)[-20:]


def test_segments_of_a_piece_tell_claim_from_evidence():
    for family in ("bert", "deberta"):
        pairs = encoder_of(family, max_tokens=20)([claim_of("a b", " ".join(["d"] * 90))])
        assert len(pairs.in_pieces) == 1
        for ids, segments in zip(pairs.ids, pairs.segments, strict=True):
            first, second = sides_of(family, ids)
            assert segments == [0] * (len(first) + 2) + [1] * (len(second) + 1)


# --- long claims


def test_split_and_cut_count_claims_and_not_pieces():
    book = " ".join(["d"] * 500)
    claims = [
        claim_of("a b", "d"),  # fits
        claim_of("a b", book),  # split
        claim_of("a b", book, book),  # split
        claim_of(book, "d"),  # cut
        claim_of(book),  # cut
        claim_of(book, book),  # split and cut
    ]
    pairs = encoder_of("bert", max_tokens=32)(claims)
    assert (pairs.count, len(pairs.in_pieces), len(pairs.cut)) == (6, 3, 3)
    assert set(pairs.owners.tolist()) == set(range(6))
    assert np.all(np.diff(pairs.owners) >= 0)
    pieces = {
        owner: [ids for ids, of in zip(pairs.ids, pairs.owners, strict=True) if of == owner] for owner in range(6)
    }
    assert [len(pieces[owner]) for owner in (0, 3, 4)] == [1, 1, 1]
    # A short passage costs a long claim no more than its own length; a long one leaves it half.
    assert [len(sides_of("bert", pieces[owner][0])[0]) for owner in (3, 4, 5)] == [28, 29, 14]
    alone = encoder_of("bert", inputs=("claim",), max_tokens=32)(claims)
    assert (len(alone.ids), len(alone.in_pieces), len(alone.cut)) == (6, 0, 3)
    assert max(map(len, alone.ids)) == 32


@pytest.mark.parametrize(
    ("family", "text"),
    [
        *(("bert", text) for text in ("officials confirm it. ", "x", "  ", "\u0301", "[SEP]")),
        *(("deberta", "officials confirm it. "), ("modernbert", "officials confirm it. "), ("modernbert", "x")),
    ],
)
def test_books_are_read_to_their_end(family, text):
    book = (text * MAX_EVIDENCE_CHARACTERS)[:MAX_EVIDENCE_CHARACTERS]
    pairs = encoder_of(family, max_tokens=256)([claim_of(book[:MAX_CLAIM_CHARACTERS], book), claim_of("a", "b")])
    assert max(map(len, pairs.ids)) <= 256
    assert pairs.ids[-1] == by_transformers(family, [claim_of("a", "b")], BOTH)["input_ids"][0]
    *_, after = around(family, BOTH)
    ends = [*own_ids(family, book)[-20:], *after]
    assert pairs.ids[-2][-len(ends) :] == ends


def test_a_book_of_many_short_passages_is_read_to_its_end():
    claim = claim_of("the bridge", *(["d"] * 50_000))
    pairs = encoder_of("bert", max_tokens=256)([claim])
    assert sum(len(sides_of("bert", ids)[1]) for ids in pairs.ids) == 50_000
