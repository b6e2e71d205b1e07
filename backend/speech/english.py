"""What is English: of languages as espeak-ng names them, and of texts."""

import re


def is_english(language: str) -> bool:
    """Whether a language or voice (en-us, en+f2) is a kind of English."""
    return re.split("[-+]", language.lower())[0] == "en"


def is_in_another_script(text: str) -> bool:
    """Whether a text has letters, and none that English is written in."""
    return any(letter.isalpha() for letter in text) and not re.search("[a-zA-Z]", text)
