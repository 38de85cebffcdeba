"""The self-check passes where the quick way is right, and stops the job where it is not."""

import json

import numpy as np
import pytest

from claimsieve.data.corpora import load_labelled
from claimsieve.errors import ModelError
from claimsieve.inference.predict import Job
from claimsieve.inference.selfcheck import ROWS, sample, selfcheck, selfchecked
from claimsieve.inference.windows import ItemReader
from claimsieve.models.tfidf import TfidfModel


@pytest.fixture(scope="module")
def claims(planted_claims):
    return load_labelled(str(planted_claims))[0]


@pytest.fixture(scope="module")
def model(claims):
    trained = TfidfModel(inputs=("claim", "evidence"), max_features=500)
    list(trained.fit(claims, valid=claims))
    return trained


class Off:
    """A model that is right but for one thing."""

    inputs = ("claim", "evidence")

    def __init__(self, model, *, shift=0.0, company=0.0, nothing=False):
        self._model, self._shift, self._company, self._nothing = model, shift, company, nothing

    def computed_as(self):
        return {}

    def reference(self, claims):
        return self._model.reference(claims)

    def predict_proba(self, claims):
        found = np.array(self._model.predict_proba(claims))
        if self._nothing:
            found[0, 0] = np.nan
        found[:, 0] += self._shift + self._company * len(claims)
        return found


def test_a_right_model_passes_and_the_numbers_are_told(model, claims):
    found = selfcheck(model, claims[:20])
    assert (found.rows, found.labels_equal) == (20, 20)
    assert max(found.largest_difference, found.largest_batch_difference) < 1e-9
    assert "20 of 20 labels" in found.described()
    assert selfcheck(model, []).rows == 0


@pytest.mark.parametrize("wrong", [{"shift": 0.01}, {"company": 0.001}, {"nothing": True}])
def test_what_is_beyond_tolerance_stops(model, claims, wrong):
    with pytest.raises(ModelError, match=r"self-check: .*allowed 0\.001.*--precision float32"):
        selfcheck(Off(model, **wrong), claims[:20])


def test_within_a_tolerance_of_ones_own_it_goes_on(model, claims):
    assert selfcheck(Off(model, shift=0.01), claims[:20], tolerance=0.02).largest_difference == pytest.approx(0.01)


def test_rows_are_drawn_from_the_shortest_to_the_longest(tmp_path, model):
    rows = [{"claim": "bridge " * (number + 1)} for number in range(300)] + [{"claim": None}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = str(tmp_path / "in.jsonl")
    found = sample(source, ItemReader(source, {}, model.inputs))
    lengths = [len(claim.claim) for claim in found]
    assert (len(found), lengths[0], lengths[-1]) == (ROWS, 7, 2100)
    assert lengths == sorted(lengths)
    assert selfchecked(model, Job(source, "-")).rows == ROWS
