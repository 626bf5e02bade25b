"""Writes cpython.json.gz: see README.md."""
import gzip
import json
import random
import re
import unicodedata

ALL = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(chars):
    out = []
    for c in map(ord, chars):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


random.seed(1)
lower = {c: c.lower() for c in ALL if c.lower() != c}
for _ in range(2000):
    text = "".join(random.choice("ΣΣΣİAaß.:' -\u00ad\u0301ʰ·1_Ωⅷ") for _ in range(random.randint(1, 6)))
    lower[text] = text.lower()
table = {
    "unicode": unicodedata.unidata_version,
    "word": ranges(c for c in ALL if re.match(r"\w", c)),
    "digit": ranges(c for c in ALL if c.isdigit()),
    "space": [ord(c) for c in ALL if c.isspace()],
    "lower": lower,
}
with open("cpython.json.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as g:
    g.write(json.dumps(table).encode())
