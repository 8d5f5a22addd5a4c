"""What a search finds and what it does not, one row a rule, for every implementation."""

from dataclasses import dataclass

from pixy_grpc.core.search import ImageFilter

_LONG = "a" * 50
_MANY = [f"word{number}" for number in range(32)]
_TOKYO = "東京都新宿区西新宿二丁目"


@dataclass(frozen=True)
class SearchCase:
    """An image's texts, a filter, and whether the one meets the other."""

    rule: str
    found: bool
    sought: ImageFilter
    prompt: str = "A picture"
    filename: str = "a-picture.png"

    def __str__(self) -> str:
        """Return what a failing test is called by."""
        return f"{self.rule}: {'found' if self.found else 'not found'}"


def _prompt(rule: str, prompt: str, sought: str, *, found: bool) -> SearchCase:
    return SearchCase(rule, found, ImageFilter(prompt=sought), prompt=prompt)


def _filename(rule: str, filename: str, sought: str, *, found: bool) -> SearchCase:
    return SearchCase(rule, found, ImageFilter(filename=sought), filename=filename)


# rule, prompt, what is sought, whether it is found
_PROMPTS = (
    ("a word", "A red fox", "red", True),
    ("the start of a word", "A red fox", "fo", True),
    ("the middle of a word", "A red fox", "ed", False),
    ("the end of a word", "A red fox", "ox", False),
    ("more than a word", "A red fox", "foxes", False),
    ("words in any order", "A red fox", "fox red", True),
    ("a word twice", "A red fox", "fox FOX", True),
    ("one of two words missing", "A red fox", "red cat", False),
    ("nothing like it", "A red fox", "zebra", False),
    ("nothing sought", "A red fox", "", True),
    ("only spaces sought", "A red fox", " \t\n ", True),
    ("any space between words", "A red\nfox\u00a0runs", "runs\u3000fox\tred", True),
    ("upper case sought", "A red fox", "RED FOX", True),
    ("upper case stored", "A RED FOX", "red fox", True),
    ("one letter", "a b c", "c", True),
    ("one letter missing", "a b c", "d", False),
    ("a stop word", "the who", "the", True),
    ("a stop word missing", "who", "the", False),
    ("digits", "route 66", "66", True),
    ("the start of a number", "route 66", "6", True),
    ("digits behind letters", "version v20", "20", False),
    ("digits other than ASCII", "year ٢٠٢٦", "٢٠٢٦", True),
    # letters
    ("accents kept", "café crème", "cafe", False),
    ("accents the same", "café crème", "crème", True),
    ("accents composed, sought apart", "café", "cafe\u0301", True),
    ("accents apart, sought composed", "cafe\u0301", "café", True),
    ("accents, upper case", "CAFÉ", "café", True),
    ("a word up to its accent", "cafés", "caf", True),
    ("ligature stored", "ﬁne art", "fine", True),
    ("ligature sought", "fine art", "ﬁ", True),
    ("fullwidth stored", "ＡＢＣ１２", "abc12", True),
    ("fullwidth sought", "abc12", "ＡＢＣ", True),
    ("superscript", "x² + y", "x2", True),
    ("sharp s sought as ss", "Straße", "strasse", True),
    ("ss sought as sharp s", "STRASSE", "straße", True),
    ("dotted capital i", "İstanbul", "İSTANBUL", True),
    ("dotted capital i is no plain i", "İstanbul", "istanbul", False),
    ("dotted capital i, its first letter", "İstanbul", "i", True),
    ("dotless i is no i", "ısı", "isi", False),
    ("final sigma", "ΟΔΟΣ", "οδος", True),
    ("final sigma stored", "οδος", "ΟΔΟΣ", True),
    ("Cyrillic", "Рыжая лиса", "лис", True),
    ("Hebrew", "שועל אדום", "אדום", True),
    ("Arabic", "قطة سوداء", "سوداء", True),
    ("Korean word", "한국의 산", "한국", True),
    ("Korean inside a word", "한국의 산", "국의", False),
    ("Korean in single letters", "한국의 산", "\u1112\u1161\u11ab", True),
    ("Hindi", "हिन्दी चित्र", "हिन्दी", True),
    ("Hindi, the start of a word", "हिन्दी चित्र", "हिन्", True),
    ("Hindi, up to a mark", "हिन्दी चित्र", "ह", True),
    ("Hindi inside a word", "हिन्दी चित्र", "न्दी", False),
    ("a mark alone, inside a word", "हिन्दी", "ि", True),
    ("a mark alone, missing", "a cat", "\u0302", False),
    ("a mark and signs behind a word", "x\u0302-> y", "\u0302->", True),
    ("Persian with a joiner", "می\u200cخواهم", "می\u200cخواهم", True),
    # written without spaces
    ("Chinese inside a run", "富士山夕照", "士山", True),
    ("Chinese in another order", "富士山夕照", "山士", False),
    ("Chinese, one character", "富士山夕照", "照", True),
    ("Chinese in two pieces", "富士山夕照", "夕照 富士", True),
    ("Chinese outside the first plane", "𠮷野家", "野", True),
    ("Japanese inside a run", "猫が寝ている", "寝て", True),
    ("kana halfwidth stored", "ｱｲｽｸﾘｰﾑ", "クリーム", True),
    ("kana halfwidth sought", "アイスクリーム", "ｸﾘｰﾑ", True),
    ("kana voiced apart", "か\u3099っこう", "がっこう", True),
    ("kana voiced is another", "がっこう", "か", False),
    ("Thai inside a run", "แมวส้มนั่งบนหลังคา", "ส้มนั่ง", True),
    ("Thai missing", "แมวส้มนั่งบนหลังคา", "หมา", False),
    ("Lao", "ແມວສີສົ້ມ", "ສີສົ້ມ", True),
    ("Khmer", "ឆ្មាពណ៌ទឹកក្រូច", "ពណ៌", True),
    ("Burmese", "လိမ္မော်ရောင်ကြောင်", "ရောင်", True),
    ("Tibetan across syllables", "བོད་ཡིག", "ད་ཡི", True),
    ("a sign inside a run", "བོད་ཡིག", "་", True),
    ("a sign behind a run, and more", "བོད་-", "་-", True),
    ("currency sign behind signs", "costs -฿", "฿", True),
    ("currency sign behind a run", "ราคา฿", "฿", True),
    ("a run of 8", _TOKYO, _TOKYO[2:10], True),
    ("a run of 9", _TOKYO, _TOKYO[2:11], True),
    ("a run of 9, its last other", _TOKYO, _TOKYO[2:10] + "山", False),
    ("the whole long run", _TOKYO, _TOKYO, True),
    ("longer than the run", _TOKYO, _TOKYO + "山", False),
    ("letters before a run", "iPhoneケース", "iphone", True),
    ("a run behind letters", "iPhoneケース", "ケース", True),
    ("letters and a run", "iPhoneケース", "iPhoneケ", True),
    ("letters and a run, stored apart", "ケース iPhone", "iPhoneケース", True),
    ("letters inside, before a run", "iPhoneケース", "phone", False),
    ("digits before a run", "第12回", "12回", True),
    # signs beside words: ignored, never operators
    ("plus and minus", "A red fox", "+red -fox", True),
    ("minus does not exclude", "A red fox", "red -cat", False),
    ("a quoted phrase", "A red fox", '"fox red"', True),
    ("a star", "A red fox", "re*", True),
    ("a star inside", "A red fox", "r*x", False),
    ("parentheses", "A red fox", "(red fox)", True),
    ("tilde, less, greater, at", "A red fox", "~red <fox >red @fox", True),
    ("an operator in words", "A red fox", "red OR cat", False),
    ("percent is no wildcard", "A red fox", "r%x", False),
    ("underscore is no wildcard", "A red fox", "r_d", False),
    ("underscore parts words", "red_fox", "fox", True),
    ("hyphen parts words", "red-fox", "fox", True),
    ("backslash", "A red fox", "\\red", True),
    ("an apostrophe parts words", "it's", "s", True),
    ("SQL", "Robert'); DROP TABLE images; --", "'); drop table images; --", True),
    ("SQL missing", "A red fox", "' OR '1'='1", False),
    ("emoji beside a word", "A red fox", "🦊 fox", True),
    # signs alone: contained
    *((f"{sign} alone", f"10{sign}2", sign, True) for sign in "%_\\'\"+-*()~<>@&|!^:?/"),
    *((f"{sign} alone, missing", "A red fox", sign, False) for sign in "%_\\'\"+-*()~<>@"),
    ("an arrow", "a->b", "->", True),
    ("an arrow with spaces around", "a->b", " -> ", True),
    ("an arrow in a longer one", "a-->>b", "->", True),
    ("an arrow apart", "a - > b", "->", False),
    ("an arrow sought apart", "a->b", "- >", False),
    ("an arrow apart in both", "a - > b", "- >", True),
    ("signs apart, the other way round", "a > - b", "- >", False),
    ("8 signs", "========", "========", True),
    ("9 signs", "==========", "=========", True),
    ("9 signs, the last other", "=========", "========#", False),
    ("emoji alone", "A 🦊 fox", "🦊", True),
    ("emoji alone, missing", "A 🐱 cat", "🦊", False),
    ("emoji without its variation", "I ❤\ufe0f you", "❤", True),
    ("emoji with a variation missing", "I ❤ you", "❤\ufe0f", False),
    ("part of a joined emoji", "a 👨\u200d👩\u200d👧!", "👩\u200d👧", True),
    ("emoji behind a word", "fox🦊", "🦊", True),
    ("two emoji apart", "🦊 and 🐱", "🦊🐱", False),
    ("private characters", "a \ue000 b", "\ue000", True),
    # lengths
    ("a word of 40", _LONG[:40], _LONG[:40], True),
    ("a word longer than 40", _LONG, _LONG[:45], True),
    ("a word of 40 in a longer one", _LONG, _LONG[:40], True),
    ("41 letters, the last other", _LONG, _LONG[:40] + "b", False),
    ("longer than the stored word", _LONG, _LONG + "a", False),
    ("two long words", f"{_LONG}b {_LONG}c", f"{_LONG}c {_LONG}b", True),
    ("two long words, one missing", f"{_LONG}b {_LONG}c", f"{_LONG}b {_LONG}d", False),
    ("32 words", " ".join(_MANY), " ".join(reversed(_MANY)), True),
    ("32 words, one missing", " ".join(_MANY[1:]), " ".join(_MANY[:-1]), False),
    ("a long prompt, its last word", "lorem " * 5_000 + "finally", "finally", True),
    # NUL
    ("NUL stored", "red\0fox", "fox", True),
    ("NUL sought", "A red fox", "fox\0", True),
    ("NUL alone", "red\0fox", "\0", True),
    ("NUL alone, missing", "A red fox", "\0", False),
)

# rule, filename, what is sought, whether it is found
_FILENAMES = (
    ("the start of a filename", "red fox.png", "red f", True),
    ("the whole filename", "red fox.png", "red fox.png", True),
    ("longer than the filename", "red fox.png", "red fox.png ", False),
    ("a later word of a filename", "red fox.png", "fox", False),
    ("two spaces for one", "red fox.png", "red  fox", False),
    ("filename, upper case", "Red Fox.PNG", "rED fOX.png", True),
    ("filename, a space before", "red fox.png", " red", False),
    ("filename, accents kept", "Über.png", "uber", False),
    ("filename, accents the same", "Über.png", "ü", True),
    ("filename, accents apart", "U\u0308ber.png", "über", True),
    ("filename, sharp s", "Straße.png", "STRASSE", True),
    ("filename, fullwidth", "ＡＢＣ.png", "abc.p", True),
    ("filename, Chinese at the start", "富士山.png", "富士", True),
    ("filename, Chinese inside", "富士山.png", "士山", False),
    ("filename, emoji", "🦊.png", "🦊", True),
    ("filename, percent is no wildcard", "red.png", "r%", False),
    ("filename, underscore is no wildcard", "red.png", "r_d", False),
    ("filename, percent as it is", "100%_sure.png", "100%_", True),
    ("filename, backslash", "red.png", "\\", False),
    ("filename, quote", "it's.png", "it's", True),
    ("filename, NUL", "red.png", "red\0", False),
    ("filename, its 40th character", "n" * 60 + ".png", "n" * 40, True),
    ("filename, its 50th character", "n" * 60 + ".png", "n" * 50, True),
    ("filename, the 41st other", "n" * 60 + ".png", "n" * 40 + "x", False),
    ("filename, all of a long one", "n" * 251 + ".png", "n" * 251 + ".png", True),
    ("filename, longer than a long one", "n" * 60, "n" * 61, False),
    ("filename, three bytes a character", "名" * 255, "名" * 200, True),
    ("a prompt's word is no filename", "other.png", "picture", False),
    ("any filename", "other.png", "", True),
)

SEARCH_CASES = (
    *(_prompt(rule, prompt, sought, found=found) for rule, prompt, sought, found in _PROMPTS),
    *(_filename(rule, name, sought, found=found) for rule, name, sought, found in _FILENAMES),
    SearchCase("prompt and filename", found=True, sought=ImageFilter("pic", "a-pic")),
    SearchCase("prompt but not filename", found=False, sought=ImageFilter("pic", "b-pic")),
    SearchCase("filename but not prompt", found=False, sought=ImageFilter("fox", "a-pic")),
    SearchCase("a filename's word is no prompt", found=False, sought=ImageFilter(prompt="png")),
)
