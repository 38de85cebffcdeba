"""What the page calls things: labels, reasons, stances, contexts."""

from claimsieve.records import LABELS, Label, Stance

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
}
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
