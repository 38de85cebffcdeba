"""Short sequences that share a row are read as they are alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from claimsieve.models.joined import can_join, joined, joined_logits, layout, padded_tokens, rows_of
from claimsieve.models.opening import open_classifier
from claimsieve.models.pooling import pool

IDS = [[2, 9, 12, 3], [2, 8, 3], [2, 7, 7, 11, 10, 3], [2, 3], [2, 14, 5, 3]]
SEGMENTS = [[0, 0, 1, 1], [0, 0, 1], [0, 0, 0, 1, 1, 1], [0, 1], [0, 0, 0, 0]]


@pytest.fixture(params=["first", "mean"])
def network(request, checkpoint_of):
    torch.manual_seed(0)
    tokenizer, found = open_classifier(checkpoint_of("bert"), dropout=0.0, attention="sdpa")
    pool(found, request.param)
    return tokenizer, found.eval()


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 500), st.booleans())
def test_every_sequence_is_in_one_batch_and_no_row_is_too_wide(lengths, batch_tokens, joins):
    lengths = np.array(lengths, dtype=np.int64)
    alone, shared = layout(lengths, batch_tokens=batch_tokens, joins=joins)
    places = [place for rows in alone for place in rows] + [p for rows in shared for row in rows for p in row]
    assert sorted(places) == list(range(len(lengths)))
    for row in rows_of(lengths):
        assert len(row) == 1 or lengths[row].sum() <= 96
    assert padded_tokens(lengths, batch_tokens=batch_tokens, joins=joins) >= lengths.sum()
    assert joins or not shared


def test_a_sequence_sees_only_itself(network):
    _, classifier = network
    with torch.inference_mode():
        alone = torch.cat(
            [
                classifier(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([segments])).logits
                for ids, segments in zip(IDS, SEGMENTS, strict=True)
            ]
        )
        rows = [np.array([0, 1, 2]), np.array([4, 3])]
        found = joined_logits(classifier, joined(IDS, SEGMENTS, rows))
    torch.testing.assert_close(found, alone[[0, 1, 2, 4, 3]], atol=1e-5, rtol=1e-4)


def test_it_is_tried_before_it_is_used(network, checkpoint_of):
    tokenizer, classifier = network
    assert can_join(classifier, tokenizer)
    classifier.base_model.embeddings.position_embeddings.weight.data[:] *= torch.arange(1, 65).unsqueeze(1)
    assert can_join(classifier, tokenizer)  # places begin anew with each sequence
    _, eager = open_classifier(checkpoint_of("bert"), dropout=0.0, attention="eager")
    _, other = open_classifier(checkpoint_of("roberta"), dropout=0.0, attention="sdpa")
    assert not can_join(eager.eval(), tokenizer)
    assert not can_join(other.eval(), tokenizer)


def test_a_network_that_looks_across_is_left_alone(network):
    tokenizer, classifier = network
    layer = classifier.base_model.encoder.layer[0]
    layer.register_forward_hook(
        lambda module, arguments, output: (
            output + output.mean(dim=1, keepdim=True)
            if torch.is_tensor(output)
            else (output[0] + output[0].mean(dim=1, keepdim=True), *output[1:])
        )
    )
    assert not can_join(classifier, tokenizer)
