"""An encoder so small that what is timed or tested is everything else; for benchmarks and for the tests."""

from pathlib import Path

from transformers import AutoTokenizer, BertConfig, BertModel
from whosays.model.encoders import encoder_source


def write_tiny_encoder(folder: Path) -> None:
    """Write a randomly initialised BERT of two layers, 32 wide, with the packaged encoder's word-piece tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(encoder_source("minilm"))
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
    )
    BertModel(config).save_pretrained(folder)
