"""The MLflow experiment that runs stand in, and what its page says of them."""

from typing import Any

from claimsieve.tracking.views import view_tags

NOTE = """\
Runs of claimsieve. A label says what a claim resembles in these corpora, not how probable it is that the claim is true.

| metrics | what they say |
|---|---|
| `test/…` | how good the model is on rows that took no part in training; `_low` and `_high` bound a 95 % interval |
| `calibration/…` | how far confidence and accuracy lie apart; `_before` is without calibration |
| `coverage/…` | how often the prediction sets hold the true label, and how often the model decides |
| `selective/…` | the error that is left as more and more claims go to people: the area under that curve, low is good |
| `base_rate/…` | precision and false flags at the mix of labels that the config names |
| `probe/…` | what models score that read no evidence, and the model's margin over the best of them |
| `faithfulness/…` | how far removing the words that explanations name moves a label, beside random words |
| `axis/…` | of a model of two axes: stance, and manipulation at 10 % false alarms on the calibration split |
| `behaviour/…` | what the model does with the shipped variations, in which only the evidence changes; not a benchmark |
| `slice/…` | macro-F1 on the rows of one corpus or one event |
| `cascade/…` | how often a cascade's cheap tier answers, and how often its label is not the encoder's |
| `compare/…` | what `claimsieve compare` found between this run and others |
| `train/…`, `valid/…` | the course of the training |
| `system/…` | processor, memory, disk and network during runs of more than half a minute |

A run of several seeds or held-out groups is one row with the mean, its `_std` and its interval; its parts unfold
below it.

Searches to begin with:

- `metrics."test/macro_f1" > 0.5`
- `metrics."test/macro_f1_low" > 0.5 and tags.kind = "encoder"`
- `metrics."probe/margin_over_best_low" > 0 and metrics."test/ece" < 0.1`
- `tags.inputs = "claim+evidence" and tags.split = "group"`
"""


def experiment_id(client: Any, name: str) -> str:
    """The id of the experiment of this name, which is made when there is none, with our views of its runs."""
    from mlflow.exceptions import MlflowException

    views = view_tags()
    found = client.get_experiment_by_name(name)
    if found is None:
        # For versions of the UI that open an experiment by its kind; 3.17 does not, hence the links of `claimsieve ui`.
        tags = {"mlflow.note.content": NOTE, "mlflow.experimentKind": "custom_model_development"} | views
        try:
            return str(client.create_experiment(name, tags=tags))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was quicker
            if found is None:
                raise
    for key, value in views.items():
        if key not in found.tags:  # its users may have changed one
            client.set_experiment_tag(found.experiment_id, key, value)
    return str(found.experiment_id)
