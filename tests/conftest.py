"""Small planted data, a tiny real transformer and the command line, shared by the tests of whole ways."""

import json
import os
import sys
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy and torch count the cores, which the workers share
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from claimsieve import yaml12
from claimsieve.cli import main

EVIDENCE = {
    "verified": "officials of both sides confirm the report in full",
    "unverified": "nobody has been able to check the report so far",
    "propaganda": "the footage is older and shows another place entirely",
}
SUBJECTS = ("bridge", "harbour", "convoy", "airfield", "village", "depot", "hospital", "station", "ship", "radar")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for a hub fails at once instead of waiting for a time-out."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    """What is distilled in a test does not land in the user's cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(scope="session")
def planted_claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 claims in 40 events; the evidence alone tells the label."""
    rows = []
    for number in range(120):
        label = tuple(EVIDENCE)[number % 3]
        subject = SUBJECTS[(number // 3) % len(SUBJECTS)]
        rows.append(
            {
                "id": str(number),
                "claim": f"the {subject} was hit {number} times on day {number * 7} by {number * 13 % 97} shells",
                "evidence": [{"text": f"{EVIDENCE[label]} on the {subject}", "date": "2020-01-08"}],
                "event": f"event-{number // 3}",
                "label": label,
            }
        )
    path = tmp_path_factory.mktemp("planted") / "planted.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real BERT with two layers of width 32 and a vocabulary of the planted words."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    trainer = BertWordPieceTokenizer()
    texts = [*EVIDENCE.values(), *SUBJECTS, "the was hit times on day by shells claim evidence 0 1 2 3 4 5 6 7 8 9"]
    trainer.train_from_iterator(texts, vocab_size=300, min_frequency=1, show_progress=False)
    trainer.save(str(folder / "tokenizer.json"))
    tokenizer = BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """Put a file where the corpora are looked for."""
    root = tmp_path / "corpora"
    monkeypatch.setenv("CLAIMSIEVE_CORPORA", str(root))

    def put(name, content):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return put


@pytest.fixture
def own_recipe(tmp_path, corpora):
    """Write a recipe of one's own and the rows that it reads; gives the name of its file."""

    def write(*lines, file="own/rows.jsonl", **changes):
        corpora(file, "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
        data = {
            "name": "own",
            "title": "a title",
            "licence": "a licence",
            "citation": "a citation",
            "url": "https://example.org/own",
            "files": [file],
            "fields": {"claim": "text", "rating": "verdict"},
            "ratings": {"yes": "supported", "no": "refuted", "joke": None},
        }
        path = tmp_path / "own.yaml"
        path.write_text(yaml12.dump(data | changes), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def claimsieve(monkeypatch, capsys):
    """Run a command as the entry point does; returns exit code, stdout and stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["claimsieve", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return run
