"""The way to a Ray cluster, and what is asked of it; without one."""

import socket
import sys
from importlib.util import find_spec

import pytest

from claimsieve.errors import ConfigError, MissingPackageError
from claimsieve.inference.ray_cluster import connected
from claimsieve.inference.ray_engine import Crewing, crew_for

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: pip install 'claimsieve[ray]'")


def enter(address: str | None) -> None:
    with connected(address):
        pass


@needs_ray
@pytest.mark.parametrize("form", ["{}", "ray://{}"])
def test_an_address_where_nobody_listens_is_told(form):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = form.format(f"127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(ConfigError, match=rf"--address {address}: expected a Ray cluster, found none: .*ray start"):
        enter(address)


@needs_ray
@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:", ":80", "127.0.0.1:99999999"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(ConfigError, match=r"--address .*: expected"):
        enter(address)


def test_without_ray_it_is_said_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'claimsieve\[ray\]'"):
        enter(None)


def test_options_of_the_cluster_go_with_its_engine(claimsieve, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"claim": "a bridge"}\n')
    for option in (("--address", "auto"), ("--workers", "2")):
        code, _, err = claimsieve("predict", tmp_path, tmp_path / "in.jsonl", *option)
        assert code == 2
        assert "expected --engine ray" in err


@pytest.mark.parametrize(
    ("nodes", "kind", "device", "workers", "crewing"),
    [
        ([(1, 0), (1, 0)], "tfidf", "auto", None, Crewing(2, 1, 0, "cpu")),
        ([(16, 0), (0, 0)], "static", "auto", None, Crewing(16, 1, 0, "cpu")),
        ([(16, 0), (20, 0)], "encoder", "auto", None, Crewing(4, 8, 0, "cpu")),
        ([(4, 0), (16, 0)], "encoder", "auto", None, Crewing(5, 4, 0, "cpu")),
        ([(16, 0), (16, 0)], "encoder", "auto", 2, Crewing(2, 16, 0, "cpu")),
        ([(16, 0), (16, 0)], "encoder", "auto", 3, Crewing(3, 8, 0, "cpu")),
        ([(2, 0)], "encoder", "auto", 5, Crewing(5, 2, 0, "cpu")),  # more nodes may come
        ([(0, 0)], "encoder", "auto", None, Crewing(1, 1, 0, "cpu")),
        ([(16, 2), (16, 0)], "encoder", "auto", None, Crewing(2, 8, 1, "cuda")),
        ([(16, 2)], "encoder", "cpu", None, Crewing(2, 8, 0, "cpu")),
        ([(16, 2)], "tfidf", "auto", None, Crewing(16, 1, 0, "cpu")),
    ],
)
def test_a_cluster_is_used_whole_with_few_copies_of_the_model(nodes, kind, device, workers, crewing):
    assert crew_for(nodes, kind, device=device, workers=workers) == crewing


def test_a_gpu_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match="expected a node with a GPU"):
        crew_for([(4, 0)], "encoder", device="cuda", workers=None)
