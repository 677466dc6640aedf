"""Runs commands of the Azure CLI in one process, by itself: each line of standard input is its words as JSON.

Answers each with its exit code and what it said, as JSON on a line of file descriptor 3.
"""
import contextlib
import io
import json
import os
import sys

from azure.cli.core import get_default_cli

told = os.fdopen(3, "w")
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = get_default_cli().invoke(json.loads(line), out_file=said)
        except SystemExit as end:
            code = end.code
        except Exception as error:
            code = str(error)
    print(json.dumps({"code": code, "said": said.getvalue()[-2000:]}), file=told, flush=True)
