"""The model card: README.md in the Hugging Face format, from the numbers and texts that a training saved."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimsieve import settings, yaml12
from claimsieve.data import recipes
from claimsieve.data.corpora import corpus_names
from claimsieve.errors import ConfigError, ModelError
from claimsieve.evaluation import axes, behaviour, calibration, decisions, evaluate, faithfulness, shortcuts
from claimsieve.evaluation.assessment import (
    AXES_REPORT,
    BEHAVIOUR,
    CALIBRATION,
    DECISIONS,
    EVALUATION,
    FAITHFULNESS,
    SHORTCUTS,
)
from claimsieve.evaluation.documents import AUDIT
from claimsieve.evaluation.evaluate import Evaluation
from claimsieve.pages import rendered, rendered_markdown
from claimsieve.records import LABELS
from claimsieve.report import Origin, audit_counts, cascade_sentences, left_out, parsed

DEFAULT_CHECKPOINT_ID = "sentence-transformers/all-MiniLM-L6-v2"  # what `checkpoint: default` is, by its Hub id
MAX_SLICES = 60

_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """What is known of a corpus beside its rows; None: not stated. hub: its id on the Hugging Face Hub."""

    name: str
    title: str | None = None
    licence: str | None = None
    url: str | None = None
    citation: str | None = None
    hub: str | None = None


def model_card(documents: Mapping[str, bytes], *, origin: Origin) -> str:
    """README.md of a model directory: YAML header and Markdown, safe against what corpora and events are called.

    documents: as for report.evaluation_page. Raises ModelError when one of them is not what a training writes.
    """
    evaluation = parsed(documents, EVALUATION, evaluate.from_json)
    if evaluation is None:
        raise ModelError(f"expected {EVALUATION} to make a card of, found none. Train the model again.")
    audit = parsed(documents, AUDIT, audit_counts)
    corpora = corpus_facts(origin.config.data.corpora)
    known = {facts.name for facts in corpora}
    others = [CorpusFacts(name) for name in (audit["corpora"] if audit else {}) if name not in known]
    facts = {
        "header": _header(evaluation, corpora, origin),
        "origin": origin,
        "evaluation": evaluation,
        "shortcuts": parsed(documents, SHORTCUTS, shortcuts.from_json),
        "behaviour": parsed(documents, BEHAVIOUR, behaviour.from_json),
        "standing": behaviour.STANDING,
        "axes": parsed(documents, AXES_REPORT, axes.from_json),
        "faithfulness": parsed(documents, FAITHFULNESS, faithfulness.from_json),
        "calibration": parsed(documents, CALIBRATION, calibration.from_json),
        "decisions": parsed(documents, DECISIONS, decisions.from_json),
        "cascade": cascade_sentences(documents),
        "audit": audit,
        "left_out": left_out(documents),
        "corpora": [*corpora, *others],
        "slices": list(evaluation.corpora.items())[:MAX_SLICES],
        "test_mix": {label: number / evaluation.overall.n for label, number in evaluation.overall.labels.items()},
        "missing": missing(origin.config.card),
        "labels": LABELS,
    }
    return rendered_markdown("card.md", facts)


def missing(card: settings.Card) -> list[str]:
    """Names of the fields of the config's `card` that are not given."""
    return [
        name for name, value in card.model_dump().items() if not (value.strip() if isinstance(value, str) else value)
    ]


def card_page(markdown: str) -> str:
    """The card as a self-contained HTML page. HTML in the card is shown as text, and no picture is fetched."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    reader.add_render_rule("th_open", _column_open)
    body = _HEADER.sub("", markdown)
    title = next((line.removeprefix("# ") for line in body.splitlines() if line.startswith("# ")), "Model card")
    return rendered("card.html", {"title": title, "body": reader.render(body)})


def corpus_facts(corpora: Sequence[settings.Corpus]) -> list[CorpusFacts]:
    """Title, licence, address and citation of each corpus of a run, as far as its recipe is still there to tell."""
    found = []
    for corpus in corpora:
        if corpus.recipe is not None:
            facts = CorpusFacts(Path(corpus.recipe).stem)
            with suppress(ConfigError):  # a recipe of the user's own that lies elsewhere by now
                recipe = recipes.load(corpus.recipe)
                facts = CorpusFacts(recipe.name, recipe.title, recipe.licence, recipe.url, recipe.citation)
        else:
            facts = CorpusFacts(corpus_names([corpus])[0], hub=corpus.hub)
        found.append(facts)
    return found


def _header(evaluation: Evaluation, corpora: Sequence[CorpusFacts], origin: Origin) -> str:
    """The YAML between the lines of dashes; the same data to a reader of YAML 1.1, as the Hub is, and of 1.2."""
    from huggingface_hub import ModelCardData

    card = origin.config.card
    data = ModelCardData(
        license=card.licence.strip().lower() if card.licence and card.licence.strip() else None,
        language=list(card.languages) or None,
        library_name="claimsieve",
        pipeline_tag="text-classification",
        tags=["claimsieve", "claim-verification", "fact-checking", origin.config.model.kind],
        base_model=_base_model(origin.config.model),
        datasets=[facts.hub or _identifier(facts.name) for facts in corpora],
        model_name=origin.config.name,
        eval_results=_results(evaluation, corpora),
    )
    plain: dict[str, Any] = data.to_dict()  # type: ignore[no-untyped-call]
    text = data.to_yaml()
    try:
        same = yaml12.parse(text, place="card") == plain
    except ConfigError:
        same = False
    # A corpus called 1e5 is a text in YAML 1.1 and a number in 1.2. JSON is the same data in both.
    return text if same else json.dumps(plain, indent=1)


def _results(evaluation: Evaluation, corpora: Sequence[CorpusFacts]) -> list[Any]:
    """Macro-F1 on test, overall and by corpus, with interval and n in the metric's name."""
    from huggingface_hub import EvalResult

    titles = {facts.name: facts.title or facts.name for facts in corpora}
    parts = [("all corpora", "all corpora of the run", evaluation.overall)]
    parts += [(name, titles.get(name, name), part) for name, part in evaluation.corpora.items()]
    found = []
    for name, title, part in parts:
        if (estimate := part.metrics["macro_f1"]) is not None:
            bounds = f"95 % interval {estimate.low:.3f} to {estimate.high:.3f}, n = {part.n}"
            found.append(
                EvalResult(
                    task_type="text-classification",
                    dataset_type=_identifier(name),
                    dataset_name=" ".join(title.split()),
                    dataset_split="test",
                    metric_type="f1",
                    metric_name=f"macro-F1, {bounds}",
                    metric_value=round(estimate.value, 4),
                )
            )
    return found


def _base_model(model: settings.AnyModel) -> str | None:
    """The Hub id that the weights started from; None for a model without one, or from a folder of the user's own."""
    checkpoint = getattr(model, "checkpoint", None)
    if checkpoint == "default":
        return DEFAULT_CHECKPOINT_ID
    if checkpoint and _HUB_ID.fullmatch(checkpoint) and not Path(checkpoint).exists():
        return str(checkpoint)
    return None


def _identifier(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-") or "corpus"


def _table_open(*_: Any) -> str:
    return '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table class="plain">\n'


def _table_close(*_: Any) -> str:
    return "</table></div>\n"


def _column_open(renderer: Any, tokens: Sequence[Any], place: int, options: Any, env: Any) -> str:
    tokens[place].attrSet("scope", "col")
    return str(renderer.renderToken(tokens, place, options, env))
