"""Ids put together word by word are the tokenizer's own, for any text and any tokenizer."""

import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import made_tokenizers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer

from claimsieve.models import words
from claimsieve.models.checkpoints import checkpoint_directory
from claimsieve.models.words import TokenIds, splits_at_spaces

PIECES = (
    *(" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\u0085", "\u200b", "\ufeff", "\u00ad"),
    *("\0", "\x07", "\x1c", "\x7f", "\ufffd", "[SEP]", "[UNK]", "[CLS]", "[PAD]", "[MASK]", "##s", "[SEP", "sep]"),
    *(
        "中",
        "中文",
        "한국어",
        "ひらがな",
        "ไทย",
        "e\u0301",
        "\u0301",
        "\u0308x",
        "İ",
        "ß",
        "ΑΣ",
        "Σ",
        "ﬁ",
        "😀",
        "👩‍👩‍👧",
    ),
    *("bridge", "Soldiers", "don't", "80", "3.5%", "https://example.org/a_b?c=d", "x" * 45, "y" * 120, "a-b", "¨", "…"),
)
any_text = st.lists(st.sampled_from(PIECES) | st.text(st.characters(codec="utf-8"), max_size=5), max_size=12).map(
    "".join
)
any_texts = st.lists(any_text, max_size=5)


@cache
def default() -> Tokenizer:
    return Tokenizer.from_file(str(checkpoint_directory("default") / "tokenizer.json"))


def with_added(*tokens: AddedToken) -> Tokenizer:
    tokenizer = made_tokenizers.wordpiece()
    tokenizer.add_tokens(list(tokens))
    return tokenizer


MADE = {
    "default": default,
    "cased": lambda: made_tokenizers.wordpiece(lowercase=False, strip_accents=False),
    "as it stands": lambda: made_tokenizers.wordpiece(clean_text=False, handle_chinese_chars=False, lowercase=False),
    "added": lambda: with_added(AddedToken("bridge"), AddedToken("中a"), AddedToken("x/y", normalized=False)),
    "added across a space": lambda: with_added(AddedToken("the bridge")),
    "added across a tab": lambda: with_added(AddedToken("the\tbridge")),
    "added with a hard space": lambda: with_added(AddedToken("the\u00a0bridge")),
    "added with blanks before": lambda: with_added(AddedToken("bridge", lstrip=True)),
    "added with blanks behind": lambda: with_added(AddedToken("bridge", rstrip=True, normalized=False)),
    "added as a word": lambda: with_added(AddedToken("bridge", single_word=True)),
    "bytes": made_tokenizers.byte_pairs,
    "bytes after a space": lambda: made_tokenizers.byte_pairs(prefix=True),
    "unigram": made_tokenizers.unigram,
}
WORD_BY_WORD = ("default", "cased", "as it stands", "added")


@cache
def asked(name: str) -> tuple[TokenIds, Tokenizer]:
    """The one that is tested, with all that it remembers of texts before, and a tokenizer to compare it with."""
    tokenizer = MADE[name]()
    return TokenIds(tokenizer), copied(tokenizer)


def copied(tokenizer: Tokenizer) -> Tokenizer:
    """For comparison; one trained a second time would not be alike. Without the padding that a file may bring along."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_padding()
    copy.no_truncation()
    return copy


def own_ids(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]


@given(any_texts)
@example(["", " ", "  ", "a  b", " a", "a "])
@example(["the bridge", "the  bridge", "the\tbridge", "a bridge b", "abridge", "bridge bridge", "bridge \u00a0bridge"])
@example(["a[SEP]b [SEP] c", "[SEP][SEP]", "[ SEP ]", "[sep]", "[UNK] z"])
@example(
    ["a\u00a0b", "a\u200bb", "a \u0301b", "e\u0301 \u0301", "\ufeffa", "a\0b", "中 文", "x中 y", "the bridge x/y中a"]
)
@pytest.mark.parametrize("name", MADE)
@settings(max_examples=60, deadline=None)
def test_the_ids_are_the_tokenizers_own(name, texts):
    quick, own = asked(name)
    expected = own_ids(own, texts)
    assert quick(texts) == expected
    assert quick(texts) == expected  # from memory


@pytest.mark.parametrize("name", MADE)
def test_only_a_tokenizer_that_never_looks_across_a_space_is_read_word_by_word(name):
    import json

    assert splits_at_spaces(json.loads(MADE[name]().to_str())) == (name in WORD_BY_WORD)


def test_what_is_remembered_is_read_once_and_cannot_be_spoilt_by_the_caller():
    quick, own = TokenIds(default()), copied(default())
    (first,) = quick(["bridge bridge"])
    first.clear()
    (again,) = quick(["bridge bridge"])
    assert again == own_ids(own, ["bridge bridge"])[0] != []


def test_padding_and_truncation_that_a_file_brings_along_change_nothing():
    tokenizer = made_tokenizers.wordpiece()
    texts = ["the bridge was hit and nobody confirms it", "80"]
    expected = own_ids(tokenizer, texts)
    tokenizer.enable_padding(length=50)
    tokenizer.enable_truncation(max_length=2)
    assert TokenIds(tokenizer)(texts) == expected


@pytest.mark.parametrize("name", ["default", "bytes"])
def test_several_threads_may_ask_at_once(name, monkeypatch):
    monkeypatch.setattr(words, "_MAX_WORDS", 20)  # so that what one thread reads is thrown away under another
    draw = random.Random(1)
    batches = [[" ".join(draw.choices(PIECES, k=20)) for _ in range(5)] for _ in range(60)]
    tokenizer = MADE[name]()
    quick, own = TokenIds(tokenizer), copied(tokenizer)
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(quick, batches))
    assert found == [own_ids(own, batch) for batch in batches]


def test_no_more_words_are_remembered_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(words, "_MAX_WORDS", 100)
    tokenizer = made_tokenizers.wordpiece()
    quick, own = TokenIds(tokenizer), copied(tokenizer)
    quick(["bridge"])
    assert list(quick._words) == ["bridge"]
    for start in range(0, 3_000, 30):
        texts = [f"bridge {number} {number}:{'x' * 41}" for number in range(start, start + 30)]
        assert quick(texts) == own_ids(own, texts)
        assert len(quick._words) <= 100
        assert max(map(len, quick._words), default=0) <= 40
    book = [" ".join(str(number) for number in range(5_000))]
    assert quick(book) == own_ids(own, book)
    assert len(quick._words) <= 100


def test_a_tokenizer_that_others_set_to_cut_is_left_to_them_and_cuts_nothing_here():
    tokenizer = made_tokenizers.wordpiece()
    ids = TokenIds(tokenizer)
    tokenizer.enable_truncation(2)
    (found,) = ids(["bridge bridge bridge bridge"])
    assert len(found) > 2
    assert tokenizer.truncation["max_length"] == 2
    assert len(tokenizer.encode("bridge bridge bridge", add_special_tokens=False).ids) == 2
