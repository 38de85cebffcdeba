"""The saved views of the MLflow UI: they stand in every experiment of ours, and links open them."""

import json

import pytest

from claimsieve.tracking.experiment import experiment_id
from claimsieve.tracking.store import client as new_client
from claimsieve.tracking.views import NEWEST_FIRST, default_view, experiment_links, folded_view, view_tags, view_url

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow and its database layer warn about themselves


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    return new_client(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")


def test_an_experiment_of_ours_has_the_views_and_a_link(client):
    number = experiment_id(client, "claims")
    client.create_experiment("of somebody else")
    tags = client.get_experiment(number).tags
    assert {key: tags.get(key) for key in view_tags()} == view_tags()
    assert experiment_links(client, "http://127.0.0.1:5000") == {"claims": view_url("http://127.0.0.1:5000", number)}


def test_an_experiment_that_was_there_before_gets_the_views_and_keeps_what_its_users_changed(client):
    number = client.create_experiment("older")
    key, _ = default_view()
    client.set_experiment_tag(number, key, "changed by a user")
    assert experiment_id(client, "older") == number
    tags = client.get_experiment(number).tags
    assert tags[key] == "changed by a user"
    other, value = folded_view()
    assert tags[other] == value


def test_views_fit_into_a_tag():
    assert max(map(len, view_tags().values())) < 5000  # what MLflow's databases hold


def test_a_view_sorts_by_a_column_that_it_shows():
    state = json.loads(json.loads(default_view()[1])["state"])
    assert state["orderByKey"] in state["selectedColumns"]
    assert set(state["selectedColumns"]) <= set(state["columnOrder"]) == set(state["columnWidths"])


def test_a_link_names_the_page_the_part_of_the_ui_and_the_view():
    link = view_url("http://127.0.0.1:5000/", "7", view=NEWEST_FIRST, charts=True)
    assert link == (
        "http://127.0.0.1:5000/#/experiments/7/runs?workflowType=machine_learning&compareRunsMode=CHART"
        "&viewStateShareKey=claimsieve-newest-first"
    )
