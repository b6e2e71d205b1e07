"""Phoneme names of every engine come to one small set."""

import pytest

from backend.speech.phones import SYMBOLS, Phone, from_arpabet, from_ipa, spread


@pytest.mark.parametrize(
    ("ipa", "symbols"),
    [
        ("p", ("p",)), ("ɑː", ("aa",)), ("tʃ", ("ch",)), ("ɛɹ", ("eh", "r")), ("əl", ("ah", "l")), ("ɔ̃", ("ao",)),
        ("y", ("ue",)), ("ç", ("sh",)), ("tɕ", ("ch",)), ("sʲ", ("s",)), ("a5", ("aa",)), ("", ()), ("?", ()),
    ],
)  # fmt: skip
def test_ipa(ipa, symbols):
    assert from_ipa(ipa) == symbols


def test_arpabet():
    assert [from_arpabet(name) for name in ("AH0", "HH", "pau", "ax", "ZH")] == ["ah", "h", "sil", "ah", "zh"]
    with pytest.raises(KeyError):
        from_arpabet("QQ")


def test_a_sound_of_two_symbols_is_divided():
    assert spread(1.0, 1.4, ("eh", "r")) == [Phone(1.0, 1.2, "eh"), Phone(1.2, pytest.approx(1.4), "r")]


def test_every_symbol_once():
    assert len(SYMBOLS) == len(set(SYMBOLS))
