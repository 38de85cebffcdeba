"""Numbers of a text, brought to one form, so that two claims can be compared by them: "80", "eighty", "4 dozen"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}
_ORDINAL_WORDS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINALS = {word: value for value, word in enumerate(_ORDINAL_WORDS, 1)}
_LOOSE = ("dozens", "scores", "hundreds", "thousands", "millions", "billions", "trillions")
_SHARES = {"half": "50", "twice": "times 2", "double": "times 2", "doubled": "times 2", "doubles": "times 2"}
_SHARES |= {"triple": "times 3", "tripled": "times 3", "triples": "times 3", "quadrupled": "times 4"}
_PARTS = {"a third": "1/3", "one third": "1/3", "two thirds": "2/3", "a quarter": "% 25", "one quarter": "% 25"}
_PARTS |= {"three quarters": "% 75", "a fifth": "% 20", "a tenth": "% 10", "one fifth": "% 20", "one tenth": "% 10"}
_MONEY = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "pounds": "£", "$": "$", "€": "€", "£": "£"}

_WORDS = "|".join((*_SMALL, *_SCALES))
_NUMBER = re.compile(
    # A code such as F-16, COVID-19 or 5G is a name; a score, a fraction or a time of day is itself.
    r"(?P<code>\b[^\W\d_]+-?\d[\w-]*|\b\d{1,4}(?-i:(?![KMB]\b)[A-Z]{1,3})\b)"
    r"|(?P<pair>\b\d{1,4}(?:\s?[:/–]\s?\d{1,4}|-\d{1,4})+\b)"
    r"|(?P<part>\b(?:" + "|".join(name.replace(" ", r"[\s-]") for name in _PARTS) + r")\b)"
    r"|(?P<ordinal>\b\d{1,4}(?:st|nd|rd|th)\b|\b(?:" + "|".join(_ORDINALS) + r")\b)"
    r"|(?P<digits>(?P<sign>(?<![\w.])[-−])?(?:(?P<currency>[$€£])\s?)?(?P<form>\d[\d,]*(?:\.\d+)?)"
    r"(?:\s?(?P<short>k|mn|m|bn|b|tn)\b|[\s-](?P<scale>" + "|".join(_SCALES) + r")\b)?)"
    r"|(?P<loose>\b(?:" + "|".join(_LOOSE) + r")\b)"
    r"|(?P<share>\b(?:" + "|".join(_SHARES) + r")\b)"
    rf"|(?P<words>\b(?:a\s)?(?:{_WORDS})(?:(?:[\s-]|\sand\s)(?:{_WORDS}))*\b)",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"\s?(?:%|per\s?cent\b|percentage\b)", re.IGNORECASE)
_CURRENCY = re.compile(r"\s(dollars?|euros?|pounds)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    """kind: 'number' (counts, shares, money), 'ordinal' or 'code'. key: equal where two say the same. form: as it is
    written."""

    kind: str
    key: str
    form: str


def quantities(text: str) -> list[Quantity]:
    """Numbers in figures or English words, ordinals, and names that hold a figure. "One" alone is no number."""
    return [found for match in _NUMBER.finditer(text) if (found := _quantity(match, text)) is not None]


def _quantity(match: re.Match[str], text: str) -> Quantity | None:
    form = " ".join(match.group().split()).rstrip(",")  # of "40,000, two of them"
    lower = form.lower()
    if match["code"]:
        return Quantity("code", re.sub(r"[-_]", "", lower), form)
    if match["pair"]:
        return Quantity("number", re.sub(r"\s?[-–]\s?", "-", lower).replace(" ", ""), form)
    if match["part"]:
        return Quantity("number", _PARTS[lower.replace("-", " ")], form)
    if match["ordinal"]:
        value = _ORDINALS.get(lower) or int(lower[:-2])
        return Quantity("ordinal", f"no. {value}", form)
    if match["loose"]:
        return Quantity("number", lower, form)
    if match["share"]:
        key = "% 50" if lower == "half" else _SHARES[lower]
        return Quantity("number", key, form)
    amount = _of_digits(match) if match["digits"] else _of_words(lower)
    if amount is None:
        return None
    return Quantity("number", _with_unit(amount, match, text), form)


def _with_unit(amount: float, match: re.Match[str], text: str) -> str:
    value = f"{amount:.12g}"
    if _PERCENT.match(text, match.end()):
        return f"% {value}"
    after = _CURRENCY.match(text, match.end())
    currency = _MONEY.get((after[1] if after else match["currency"] or "").lower(), "")
    return f"{currency} {value}".strip()


def _of_digits(match: re.Match[str]) -> float | None:
    amount = float(match["form"].replace(",", "") or "nan") * (-1 if match["sign"] else 1)
    if match["short"]:
        return amount * _SHORT_SCALES[match["short"].lower()]
    return amount * _SCALES[match["scale"].lower()] if match["scale"] else amount


def _of_words(form: str) -> float | None:
    """What words such as "two hundred and five thousand" come to; None for "one" alone."""
    found = list(_parts(form))
    if found == ["one"] or not found:
        return None
    total, current = 0.0, 0.0
    for word in found:
        if word in _SMALL:
            current += _SMALL[word]
        elif word in ("hundred", "dozen"):
            current = (current or 1) * _SCALES[word]
        else:
            total += (current or 1) * _SCALES[word]
            current = 0.0
    return total + current


def _parts(form: str) -> Iterator[str]:
    return (word for word in re.split(r"[\s-]+", form) if word in _SMALL or word in _SCALES)
