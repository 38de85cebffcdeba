"""What the page calls things: labels, reasons, stances, contexts."""

import re

from claimsieve.records import LABELS, Label, Stance

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # what may stand in a lang attribute

UNLABELLED = "unlabelled"
TRAYS = (*LABELS, UNLABELLED)

MEANINGS: dict[Label, str] = {
    "verified": "the evidence supports the claim",
    "unverified": "the evidence does not settle the claim, conflicts, or is absent, and nothing looks manipulated",
    "propaganda": "the evidence contradicts the claim, or manipulation stands where evidence should",
}

# What the model gives as its reason, and what a person may do about it (docs/decide.md).
REASONS: dict[str, str] = {
    "evidence_insufficient": "The evidence leaves the claim open. More evidence is needed.",
    "evidence_conflicts": "One passage alone would make it verified, another alone propaganda. Weigh the sources.",
    "model_unsure": "The evidence may settle it, but the model does not know how. Read the evidence.",
    # Of its pictures (docs/pictures.md); each is told with its own words further down.
    "picture_recycled": "A picture that came with it was known before the claim’s date. Look at both.",
    "picture_undated_claim": "A picture that came with it is known, but the claim has no date: whether the picture is "
    "older was not judged.",
    "date_unreadable": "Its date is none that can be read, so nothing was compared with it.",
    "picture_address": "A picture of it stands at an address, and was not looked up.",
    "picture_outside": "A picture of it lies outside the folder that may be read, and was not looked up.",
    "picture_missing": "A picture of it is not there, and was not looked up.",
    "picture_unreadable": "A picture of it cannot be read, and was not looked up.",
    "picture_low_quality": "A picture of it is too plain to be told from others, and was not looked up.",
    "picture_common": "A picture of it looks like one that is marked to match nothing, such as a flag or a logo.",
    "pictures_too_many": "It has more pictures than are looked at.",
}
RECYCLED = "picture_recycled"
NO_EVIDENCE = "No evidence came with it, and without evidence a label means little. Find some."

STANCES: dict[Stance, str] = {
    "supported": "The evidence supports it",
    "refuted": "The evidence contradicts it",
    "insufficient": "The evidence leaves it open",
    "conflicting": "The evidence is divided",
}
BASES = {
    "no_evidence": "there is no evidence, so it is open by construction",
    "claim_alone": "there is no evidence: this is what the words alone resemble",
}

CONTEXTS = {
    "statement": "stated",
    "report": "reported from others",
    "quote": "in quotation marks",
    "post": "in a post",
    "caption": "in a caption",
}

MATCHES = {
    "duplicate": "the same claim",
    "similar": "a similar claim",
    "suggested": "perhaps the same claim",
}
SURE_MATCHES = ("duplicate", "similar")
