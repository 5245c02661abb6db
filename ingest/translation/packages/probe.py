"""Load a package's tokenizer and model, and translate a word; print the pieces of the tokenizer.

Run by its path, in a process of its own, with nothing of ingest in it: what is loaded are foreign
bytes, read by C++ libraries that may crash on them.

    python trial.py FOLDER TOKENIZER
"""

from __future__ import annotations

import json
import os
import sys


def pieces(path: str) -> list[str]:
    """The pieces of a SentencePiece model, its controls left out."""
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=path)
    return [model.id_to_piece(n) for n in range(len(model)) if not model.is_control(n)]


def translate(folder: str) -> None:
    """Translate one token, be it known to the model or not."""
    import ctranslate2

    model = ctranslate2.Translator(folder, device="cpu", intra_threads=1)
    model.translate_batch([["a"]], beam_size=1, max_decoding_length=2)


def main(folder: str, tokenizer: str) -> None:
    """Try both parts, and print what was found or what is wrong, as JSON."""
    part = tokenizer
    found: dict[str, object] = {}
    try:
        if tokenizer == "sentencepiece.model":
            found["pieces"] = pieces(os.path.join(folder, tokenizer))
        part = "model/model.bin"
        translate(os.path.join(folder, "model"))
    except Exception as error:  # what libraries raise on foreign bytes they do not say
        found["error"] = f"{part} does not load: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
