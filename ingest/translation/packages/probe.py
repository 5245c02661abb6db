"""Load a package's tokenizer and model, translate one token, and print the tokenizer's pieces.

    python probe.py FOLDER TOKENIZER

This file runs by its path in a process of its own, and imports nothing from ingest: C++ libraries
read untrusted files here, and may crash.
"""

from __future__ import annotations

import json
import os
import sys


def read_pieces(path: str) -> list[str]:
    """Return the pieces of a SentencePiece model, without control symbols."""
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=path)
    return [model.id_to_piece(n) for n in range(len(model)) if not model.is_control(n)]


def translate_token(folder: str) -> None:
    """Load a CTranslate2 model and translate one token, known to the model or not."""
    import ctranslate2

    model = ctranslate2.Translator(folder, device="cpu", intra_threads=1)
    model.translate_batch([["a"]], beam_size=1, max_decoding_length=2)


def main(folder: str, tokenizer: str) -> None:
    """Try both parts, and print the pieces or the error as JSON."""
    part = tokenizer
    result: dict[str, object] = {}
    try:
        if tokenizer == "sentencepiece.model":
            result["pieces"] = read_pieces(os.path.join(folder, tokenizer))
        part = "model/model.bin"
        translate_token(os.path.join(folder, "model"))
    except Exception as error:  # the libraries do not document what they raise
        result["error"] = f"{part} does not load: {error}"
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
