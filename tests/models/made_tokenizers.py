"""Tokenizers of the families that people use, trained on the spot on a few words."""

from typing import Any

WORDS = (
    "the bridge was hit and officials of both sides confirm it while nobody has been able to check the footage "
    "which is older and shows another place entirely [SEP] café naïve Ünïcode 中文 été 2020-01-08 80 soldiers"
)
_BERT = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_ROBERTA = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>", "bos": "<s>", "eos": "</s>"}


def wordpiece(**normaliser: Any) -> Any:
    """As BERT's: word pieces after splitting at spaces and punctuation."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(**normaliser)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=list(_BERT.values()), show_progress=False)
    tokenizer.train_from_iterator([WORDS], trainer)
    ends = [(token, tokenizer.token_to_id(token)) for token in ("[SEP]", "[CLS]")]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    return tokenizer


def byte_pairs(special: dict[str, str] = _ROBERTA, *, prefix: bool = False) -> Any:
    """As GPT-2's, RoBERTa's and ModernBERT's: pairs of bytes, in which a space belongs to the word behind it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(dict.fromkeys(special.values())),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    return tokenizer


def unigram() -> Any:
    """As DeBERTa's and XLM-RoBERTa's: a unigram model on words with a mark for the space before them."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=list(_BERT.values()), unk_token="[UNK]", show_progress=False
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    return tokenizer


def of_family(family: str) -> Any:
    """A tokenizer as transformers opens one; `family` is one of FAMILIES."""
    return FAMILIES[family]()


def _bert(*, segments: bool = True) -> Any:
    return _opened(wordpiece(), _BERT, segments=segments)


def _roberta() -> Any:
    from tokenizers import processors

    tokenizer = byte_pairs()
    ends = [(token, tokenizer.token_to_id(token)) for token in ("</s>", "<s>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ends, add_prefix_space=False)
    return _opened(tokenizer, _ROBERTA, segments=False)


def _modernbert() -> Any:
    tokenizer = byte_pairs(_BERT)
    tokenizer.post_processor = _template(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]")
    opened = _opened(tokenizer, _BERT, segments=False)
    opened.add_special_tokens({"mask_token": _added("[MASK]", lstrip=True)})
    return opened


def _deberta() -> Any:
    tokenizer = unigram()
    tokenizer.post_processor = _template(tokenizer, "[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1")
    return _opened(tokenizer, _BERT, segments=True)


def _bare() -> Any:
    return _opened(byte_pairs(prefix=True), _ROBERTA, segments=False)


FAMILIES = {
    "bert": _bert,
    "bert without segments": lambda: _bert(segments=False),
    "roberta": _roberta,
    "modernbert": _modernbert,
    "deberta": _deberta,
    "no special tokens": _bare,
}


def _added(content: str, **how: Any) -> Any:
    from tokenizers import AddedToken

    return AddedToken(content, **how)


def _template(tokenizer: Any, single: str, pair: str) -> Any:
    from tokenizers import processors

    ends = [(token, tokenizer.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    return processors.TemplateProcessing(single=single, pair=pair, special_tokens=ends)


def _opened(tokenizer: Any, special: dict[str, str], *, segments: bool) -> Any:
    from transformers import PreTrainedTokenizerFast

    names = ["input_ids", *["token_type_ids"] * segments, "attention_mask"]
    tokens = {f"{name}_token": token for name, token in special.items()}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, **tokens)
