"""Translate with argostranslate itself: prints a JSON list of translations.

    python argos_library.py FROM TO TEXTS    # a JSON list; $ARGOS_PACKAGES_DIR holds the packages

argostranslate imports its sentence splitters, stanza and minisbd, which take gigabytes and download
models. In their place stands a splitter that returns the text as one sentence; all the rest is the
library's own code.
"""

from __future__ import annotations

import json
import sys
from types import ModuleType


def replace_splitters(langs: list[str]) -> None:
    class OneSentence:
        def __init__(self, lang: str, use_gpu: bool) -> None: ...

        def sentences(self, text: str) -> list[str]:
            return [text]

    minisbd = ModuleType("minisbd")
    minisbd.SBDetect = OneSentence
    minisbd.models = ModuleType("minisbd.models")
    minisbd.models.list_models = lambda: langs
    sys.modules |= {
        "minisbd": minisbd, "minisbd.models": minisbd.models, "stanza": ModuleType("stanza"),
        "spacy": None,
    }  # fmt: skip


if __name__ == "__main__":
    source, target, texts = sys.argv[1:]
    replace_splitters([source, target])
    from argostranslate.translate import get_translation_from_codes

    translation = get_translation_from_codes(source, target)
    print(json.dumps([translation.translate(text) for text in json.loads(texts)]))
