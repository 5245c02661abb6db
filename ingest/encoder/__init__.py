"""The bilingual sentence encoder: words, stems, subwords, lexicon and vectors."""
