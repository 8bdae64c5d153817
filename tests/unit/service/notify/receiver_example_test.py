#!/usr/bin/env python3
"""Runs the receiver's lines of docs/notifications.md against a signature of the service's (see notifier_test.cpp)."""

import re
import sys

BODY = b'{"event":"completed"}'
KEY = b"a webhook key"
SIGNED_AT = 1790000000
SIGNATURE = f"t={SIGNED_AT},v1=648b514d6075c4d6d915ae56c1a0f5be9433c5c9bae1586dce834f8b39a0ada3"


def main():
    with open(sys.argv[1], encoding="utf-8") as page:
        code = re.search(r"```python\n(.*?)```", page.read(), re.S).group(1)
    example = {}
    exec(compile(code, sys.argv[1], "exec"), example)  # our own page
    clock = type("clock", (), {"now": SIGNED_AT + 100, "time": lambda self: self.now})()
    example["time"] = clock
    is_genuine = example["is_genuine"]
    wrong = {
        "another key": (b"x", BODY, SIGNATURE),
        "another body": (KEY, BODY + b" ", SIGNATURE),
        "another time": (KEY, BODY, SIGNATURE.replace("t=1790000000", "t=1790000001")),
        "another code": (KEY, BODY, SIGNATURE[:-1] + ("1" if SIGNATURE[-1] == "0" else "0")),
        "no header": (KEY, BODY, ""),
        "nonsense": (KEY, BODY, "t=,v1=\xe9,,="),
    }
    failures = [what for what, given in wrong.items() if is_genuine(*given)]
    if not is_genuine(KEY, BODY, SIGNATURE):
        failures.append("the genuine one is refused")
    clock.now = SIGNED_AT + 1000
    if is_genuine(KEY, BODY, SIGNATURE):
        failures.append("an old one")
    print(*failures, sep="\n", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
