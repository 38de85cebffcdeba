"""Claims with evidence written for them: reports that confirm, deny or merely repeat what is claimed. For train rows.

A claim comes once with each stance, so its words tell nothing, and what is confirmed or denied may be another claim, so
the reports' words alone tell nothing either.
"""

import random
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from claimsieve.data.draws import dice_of, shuffled
from claimsieve.data.editing.texts import is_plain, sentences, vocabulary
from claimsieve.data.leaks import event_of
from claimsieve.records import Claim, Evidence, Stance, label_of

_MIN_CHARACTERS, _MAX_CHARACTERS = 12, 240  # of a claim that a report can hold
_MAX_STRANGERS = 2  # passages of another story beside the reports

# What is asked of a part: who speaks, of whose claim ("own" or "other") and what becomes of it there.
_STORIES: Mapping[Stance, tuple[tuple[tuple[str, str], ...], ...]] = {
    "supported": (
        (("own", "confirmed"),),
        (("own", "repeated"), ("own", "confirmed")),
        (("other", "denied"), ("own", "confirmed")),
        (("other", "repeated"), ("own", "confirmed")),
    ),
    "refuted": (
        (("own", "denied"),),
        (("own", "repeated"), ("own", "denied")),
        (("other", "confirmed"), ("own", "denied")),
        (("other", "repeated"), ("own", "denied")),
    ),
    "insufficient": (
        (("own", "repeated"),),
        (("own", "unsettled"),),
        (("own", "repeated"), ("own", "unsettled")),
        (("own", "repeated"), ("other", "confirmed")),
        (("own", "repeated"), ("other", "denied")),
        (("other", "confirmed"),),
        (("other", "denied"),),
    ),
    "conflicting": ((("own", "confirmed"), ("own", "denied")),),
}
_TOLD: Mapping[str, tuple[Stance, ...]] = {  # the stances that one of each claim's three rows may have
    "confirmed": ("supported",),
    "denied": ("refuted",),
    "left-open": ("insufficient", "conflicting"),
}

# {who}: somebody who would know. {party}: somebody with an interest. {how}: how it was looked into. {that}: the claim
# as a clause. {claim}: the claim as a sentence without its full stop.
_WORDINGS: Mapping[str, tuple[str, ...]] = {
    "confirmed": (
        "{claim}, {who} confirmed {how}.",
        "{who} confirmed {how} that {that}.",
        "{who} looked into the statement that {that}, and it holds.",
        "The statement “{claim}” is borne out {how}, {who} said.",
        "{how}, {who} found the same: {that}.",
        "{who} established {how} that {that}.",
        "There is no longer any doubt that {that}: {who} showed it {how}.",
        "{claim}, which nobody disputes: {who} said so {how}.",
        "{claim}.",
        "It has since been shown {how} that {that}.",
    ),
    "denied": (
        "It is not so that {that}, {who} found {how}.",
        "{who} looked into the statement that {that}, and it does not hold.",
        "{who} found {how} that the statement “{claim}” is wrong.",
        "The report that {that} was made up, {who} said {how}.",
        "{how}, {who} found nothing of the kind: it is untrue that {that}.",
        "{who} disproved {how} the account by which {that}.",
        "Contrary to what was said, it is false that {that}; {who} showed it {how}.",
        "“{claim}” – this never was the case, {who} established {how}.",
        "The statement that {that} has been withdrawn by those who made it, as it was untrue.",
    ),
    "repeated": (
        "{party} said that {that}.",
        "{claim}, {party} claimed.",
        "According to {party}, {that}.",
        "“{claim}”, wrote {party}.",
        "{party} repeated the statement that {that}, and gave no source.",
        "The statement that {that} was passed on by {party}.",
    ),
    "unsettled": (
        "Whether it is so that {that}, {who} could not say.",
        "{who} had no means of checking the statement that {that}.",
        "It is still being looked into whether it holds that {that}.",
        "Nobody outside has been able to establish whether it is right that {that}.",
        "{who} would neither confirm nor deny that {that}.",
        "Of the statement “{claim}” {who} said only that it was too early to judge.",
    ),
}
_WHO = (
    "investigators", "the police", "two independent laboratories", "the court", "reporters at the scene",
    "the statistical office", "an inquiry", "auditors", "a review by outside experts", "doctors at the hospital",
    "historians", "the observers' mission", "the regulator", "a team of scientists", "both sides",
    "the editors of the reference work", "the fire brigade", "the parliament's committee",
)  # fmt: skip
_PARTY = (
    "a spokesman", "the ministry", "a post that was widely shared", "an anonymous caller", "the party's newspaper",
    "state television", "a blog", "supporters", "the company", "one of the two sides", "a politician", "a campaign",
    "several accounts on social media", "a man who was not there",
)  # fmt: skip
_HOW = (
    "after an examination", "from the records", "on the spot", "by comparing the documents", "a week later",
    "from satellite images", "in a report", "under oath", "after speaking to all involved", "from the original data",
    "in the final account", "by counting again",
)  # fmt: skip
_SMALL = vocabulary(
    """a an the this that these those there it he she they we in on at by for from with after before during most many
    some all no every each its his her their our one two three more people only since under over when while"""
)


def reported(
    claims: Sequence[Claim], *, share: float, seed: int, clusters: Sequence[Hashable] | None = None
) -> list[Claim]:
    """New rows beside the claims: some of them three times, with reports that support, refute and leave them open.

    share: how many claims of a corpus come so, as a share of its rows with evidence, in [0, 1]; fewer where few are a
        single plain English sentence without negation. Rows with a manipulation are not used, nor corpora of one story.
    clusters: near-duplicate cluster of each claim; claims of one cluster are one story. Shape: (n,)
    One row of three has one or two passages of another story as well, and the order of passages is drawn. Ids get
    '#confirmed', '#denied' and '#left-open'; sources and dates of passages are left out. The order of the claims never
    matters.
    """
    corpora: dict[str | None, list[int]] = defaultdict(list)
    for row, claim in enumerate(claims):
        if claim.evidence and not claim.manipulation:
            corpora[claim.corpus].append(row)
    made = []
    for name in sorted(corpora, key=str):
        wanted = round(share * len(corpora[name]))
        if not wanted:
            continue
        usable = [row for row in shuffled(claims, corpora[name], f"reported{seed}") if _is_reportable(claims[row])]
        if _is_one_story([claims[row] for row in usable]):
            continue
        for place, row in enumerate(usable[:wanted]):
            claim, other = claims[row], _other(claims, usable, place, clusters)
            if other is not None:
                made += [_with_reports(claim, other, told, seed=seed) for told in _TOLD]
    return made


def _is_reportable(claim: Claim) -> bool:
    """Whether its text can stand within a sentence, and that it is confirmed there means that it is so."""
    text = claim.claim.strip()
    return (
        (claim.lang or "en").lower().startswith("en")
        and _MIN_CHARACTERS <= len(text) <= _MAX_CHARACTERS
        and text[:1].isalnum()
        and "?" not in text
        and len(sentences(text)) == 1
        and is_plain(text)
    )


def _is_one_story(claims: Sequence[Claim]) -> bool:
    """Whether none of them can lend another a passage; looking for one would take the square of their number."""
    events = {event_of(claim) for claim in claims}
    return (len(events) == 1 and None not in events) or len({claim.evidence for claim in claims}) == 1


def _other(
    claims: Sequence[Claim], usable: Sequence[int], place: int, clusters: Sequence[Hashable] | None
) -> Claim | None:
    """The next claim in the draw's order that is of another story."""
    own = claims[usable[place]]
    for step in range(1, len(usable)):
        row = usable[(place + step) % len(usable)]
        other = claims[row]
        apart = event_of(own) is None or event_of(own) != event_of(other)
        apart = apart and (clusters is None or clusters[row] != clusters[usable[place]])
        if apart and other.claim != own.claim and other.evidence != own.evidence:
            return other
    return None


def _with_reports(claim: Claim, other: Claim, told: str, *, seed: int) -> Claim:
    dice = dice_of(claim, f"reported{told}{seed}")
    stance = dice.choice(_TOLD[told])
    parts = [_report(claim if whose == "own" else other, what, dice) for whose, what in dice.choice(_STORIES[stance])]
    passages = [Evidence(text) for text in parts]
    if len(parts) == 2 and dice.random() < 0.5:
        passages = [Evidence(" ".join(parts))]
    if dice.random() < 1 / 3:
        strangers = dice.sample(other.evidence, min(len(other.evidence), dice.randint(1, _MAX_STRANGERS)))
        passages += [Evidence(passage.text) for passage in strangers]  # without a source, as the reports are
    return replace(
        claim,
        id=None if claim.id is None else f"{claim.id}#{told}",
        evidence=tuple(dice.sample(passages, len(passages))),
        label=label_of(stance, bool(claim.manipulation)),
        stance=stance,
        rating=None,
    )


def _report(claim: Claim, what: str, dice: random.Random) -> str:
    sentence = claim.claim.strip().rstrip(" .!;,")
    text = dice.choice(_WORDINGS[what]).format(
        who=dice.choice(_WHO), party=dice.choice(_PARTY), how=dice.choice(_HOW), claim=sentence, that=_clause(sentence)
    )
    return text[:1].upper() + text[1:]


def _clause(sentence: str) -> str:
    first = sentence.split(maxsplit=1)[0]
    return sentence[:1].lower() + sentence[1:] if first.lower() in _SMALL else sentence
