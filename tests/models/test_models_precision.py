import pytest
import torch

from claimsieve.errors import ConfigError
from claimsieve.models import precision
from claimsieve.models.precision import choose_device, choose_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_what_is_asked_for_is_taken_without_measuring(asked, monkeypatch):
    monkeypatch.delattr(precision, "_bfloat16_ratio")
    assert choose_precision(asked, CPU) == (getattr(torch, asked), "as asked")


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.2, torch.float32), (1.0, torch.float32), (1.29, torch.float32), (4.0, torch.bfloat16)]
)
def test_bfloat16_is_taken_where_it_is_clearly_quicker(ratio, expected, monkeypatch):
    monkeypatch.setattr(precision, "_bfloat16_ratio", lambda: ratio)
    dtype, why = choose_precision("auto", CPU)
    assert dtype is expected
    assert why == f"bfloat16 measured {ratio:.1f} x as quick as float32 in matrix products"


def test_this_processor_is_measured_once():
    precision._bfloat16_ratio.cache_clear()
    first = choose_precision("auto", CPU)
    assert first[0] in (torch.float32, torch.bfloat16)
    assert choose_precision("auto", CPU) == first
    assert precision._bfloat16_ratio.cache_info().misses == 1


def test_a_moment_in_which_the_processor_is_busy_does_not_decide(monkeypatch):
    clock = [0.0]

    def product(left, right):
        quick = left.dtype == torch.bfloat16
        clock[0] += 0.004 if clock[0] < 0.05 else 0.001 if quick else 0.002

    monkeypatch.setattr(precision.torch, "mm", product)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock[0])
    precision._bfloat16_ratio.cache_clear()
    try:
        assert precision._bfloat16_ratio() == pytest.approx(2.0)
    finally:
        precision._bfloat16_ratio.cache_clear()


def test_cuda_on_a_machine_without_it_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"expected a CUDA device, found none\. Use cpu or auto"):
        choose_device("cuda")


@pytest.mark.parametrize(("there", "expected"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_cuda_where_there_is_one(there, expected, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: there)
    assert choose_device("auto") == torch.device(expected)
    assert choose_device("cpu") == CPU
