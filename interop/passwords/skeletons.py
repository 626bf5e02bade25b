"""Answers a line with a list of strings by a line with their skeletons, as ICU computes them (UTS 39)."""
import json
import sys

import icu

checker = icu.SpoofChecker()
for line in sys.stdin:
    print(json.dumps([str(checker.getSkeleton(0, text)) for text in json.loads(line)]), flush=True)
