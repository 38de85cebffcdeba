"""The head reads the mean of all tokens, whatever the architecture, and padding is not part of it."""

import pytest
import torch

from claimsieve.models.opening import open_classifier
from claimsieve.models.packed import packed
from claimsieve.models.pooling import pool

ARCHITECTURES = ("bert", "roberta", "distilbert", "mpnet", "deberta-v2", "modernbert")


@pytest.fixture(params=ARCHITECTURES)
def networks(request, checkpoint_of):
    """One checkpoint as it comes, and one whose head reads the mean."""
    folder = checkpoint_of(request.param)
    found = []
    for pooling in ("first", "mean"):
        torch.manual_seed(0)  # of the heads
        _, network = open_classifier(folder, dropout=0.0)
        pool(network, pooling)
        found.append(network.eval())
    return found


def batch(*rows, length):
    padded = torch.zeros(len(rows), length, dtype=torch.int64)
    mask = torch.zeros_like(padded)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return {"input_ids": padded, "attention_mask": mask}


def test_padding_changes_nothing(networks):
    row = [2, 9, 12, 7, 3]
    with torch.inference_mode():
        alone = networks[1](**batch(row, length=5)).logits
        padded = networks[1](**batch(row, [2, 8, 3], length=11)).logits[:1]
    torch.testing.assert_close(alone, padded, atol=1e-5, rtol=1e-4)


def test_the_mean_is_of_the_last_states(networks):
    first, mean = networks
    rows = batch([2, 9, 12, 7, 3], [2, 8, 3], length=5)
    with torch.inference_mode():
        states = first(**rows, output_hidden_states=True)
        found = mean(**rows, output_hidden_states=True)
        assert not torch.allclose(found.logits, states.logits)
        one = batch([2], length=1)  # of one token the mean is the token
        torch.testing.assert_close(mean(**one).logits, first(**one).logits, atol=1e-5, rtol=1e-4)


def test_every_token_gets_a_gradient(networks):
    embeddings = networks[1].get_input_embeddings()
    networks[1](**batch([2, 9, 12, 7, 3], length=5)).logits.sum().backward()
    assert (embeddings.weight.grad[[9, 12, 7]].abs().sum(dim=1) > 0).all()


def test_a_copy_laid_out_for_inference_reads_the_mean_too(networks):
    rows = batch([2, 9, 12, 7, 3], [2, 8, 3], length=5)
    with torch.inference_mode():
        torch.testing.assert_close(packed(networks[1])(**rows).logits, networks[1](**rows).logits, atol=1e-4, rtol=1e-3)
