"""Runs the checks of this folder and tells each result as a line of JSON on file descriptor 3.

The environment names the broker: QSTASH_URL, QSTASH_TOKEN and the two signing keys.
"""

import json
import os
import sys
import traceback
import unittest
from pathlib import Path


class Results(unittest.TestResult):
    """Tells results as they come."""

    def __init__(self, stream):
        super().__init__()
        self._stream = stream

    def _tell(self, test, error):
        kind, module, method = test.flavour, type(test).__module__, test._testMethodName
        name = f"{module.removeprefix('check_').replace('_', ' ')}: {method.removeprefix('test_').replace('_', ' ')} ({kind})"
        text = None if error is None else "".join(traceback.format_exception(*error))
        print(json.dumps({"name": name, "error": text}), file=self._stream, flush=True)

    def addSuccess(self, test):
        self._tell(test, None)

    def addFailure(self, test, error):
        self._tell(test, error)

    def addError(self, test, error):
        if not hasattr(test, "flavour"):  # what broke is no test but the loading of them
            raise error[1]
        self._tell(test, error)


def main():
    here = Path(__file__).parent
    suite = unittest.defaultTestLoader.discover(str(here), pattern="check_*.py", top_level_dir=str(here))
    if unittest.defaultTestLoader.errors:
        sys.exit("\n".join(unittest.defaultTestLoader.errors))
    with os.fdopen(3, "w") as stream:
        suite.run(Results(stream))


if __name__ == "__main__":
    main()
