"""Prints what the Azure CLI knows of commands, as JSON: az-table.py < names, one command a line, without `az`.

Of a command that exists, its options, each with the values that it may take where those are listed. The parser is the
one that `az` itself uses; nothing is asked of a network.
"""
import argparse
import json
import logging
import sys

from azure.cli.core import __version__, get_default_cli
from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args

logging.disable(logging.CRITICAL)


def children(parser):
    """Returns the parsers of a group by the next word; None for a command."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return action.choices
    return None


def described(parser):
    """Returns what a command takes. No command of az takes anything without an option before it."""
    options = {}
    for action in parser._actions:
        values = None if action.choices is None else [str(choice) for choice in action.choices]
        options.update({option: values for option in action.option_strings})
    return {"options": options, "arguments": False, "runs": True}


GROUP = {"options": {}, "arguments": False, "runs": False}


def main():
    names = [line for line in sys.stdin.read().split("\n") if line]
    cli = get_default_cli()
    create_invoker_and_load_cmds_and_args(cli)
    found = {}
    for name in names:
        parser = cli.invocation.parser
        for word in name.split():
            parser = (children(parser) or {}).get(word)
            if parser is None:
                break
        else:
            found[name] = GROUP if children(parser) is not None else described(parser)
    json.dump({"version": __version__, "commands": found}, sys.stdout)


main()
