#!/usr/bin/env python3
"""Makes kickstart.json anew: which commands, options and sections each version of Anaconda takes, as pykickstart's own parsers say.

    PYTHONPATH=pykickstart builder/schemas/take-kickstart.py 3.74 >builder/schemas/kickstart.json

`in` has a sign for each of the `versions`: `+` taken, `D` deprecated (a warning), `R` removed (an error), `-` unknown (an error).
Only names and kinds are taken, no text.
"""
import inspect
import json
import sys

from pykickstart.base import DeprecatedCommand, RemovedCommand
from pykickstart.parser import KickstartParser
from pykickstart.version import makeVersion

VERSIONS = ["RHEL7", "RHEL8", "RHEL9", "RHEL10", "F40", "F41", "F42", "F43", "F44", "F45"]


def state(command):
    return "-" if command is None else "R" if isinstance(command, RemovedCommand) else "D" if isinstance(command, DeprecatedCommand) else "+"


def words_of(command):
    """How many words without dashes a command takes at most; None for any number, or where that can't be told."""
    words = [action for action in command.op._actions if not action.option_strings]
    source = "".join(inspect.getsource(one.parse) for one in type(command).__mro__ if "parse" in vars(one))
    if "parse_known_args" in source and "Unexpected arguments" not in source or any(action.nargs not in (None, 1, "?") for action in words):
        return None
    return len(words)


def options_of(parsers):
    """The options of one command in all versions; `parsers` has None where it has none."""
    found = {}
    for i, parser in enumerate(parsers):
        for action in parser._actions if parser else []:
            for name in action.option_strings:
                entry = found.setdefault(name, {"in": ["-"] * len(parsers), "flag": True, "int": True, "choices": set()})
                entry["in"][i] = "D" if action.deprecated else "+"
                entry["flag"] &= action.nargs == 0
                entry["int"] &= action.type is int
                # A few have their values beside the parser.
                choices = action.choices or (getattr(parser, "types", None) if name == "--type" else None)
                entry["choices"] = None if entry["choices"] is None or not choices else entry["choices"] | set(map(str, choices))
    for name, entry in found.items():
        small = {"in": "".join(entry["in"])}
        if all("+" == sign for sign, parser in zip(small["in"], parsers) if parser):
            del small["in"]
        if entry["flag"]:
            small["flag"] = True
        if entry["int"]:
            small["int"] = True
        if entry["choices"]:
            small["choices"] = sorted(entry["choices"])
        found[name] = small
    needed = [{name for action in parser._actions if action.required and action.option_strings for name in [action.option_strings[0]]} for parser in parsers if parser]
    return found, sorted(set.intersection(*needed)) if needed else []


def entry_of(states, parsers):
    entry = {"in": states}
    if states == "+" * len(states):
        del entry["in"]
    if any(parsers):
        entry["options"], required = options_of(parsers)
        if required:
            entry["required"] = required
    return entry


handlers = [makeVersion(version) for version in VERSIONS]
commands = {}
for name in sorted(set().union(*(handler.commands for handler in handlers))):
    known = [handler.commands.get(name) for handler in handlers]
    taken = [command if state(command) == "+" and hasattr(command, "op") else None for command in known]
    for command in filter(None, taken):
        command.op.types = getattr(command, "typeMap", None)
    entry = entry_of("".join(map(state, known)), [command and command.op for command in taken])
    most = [words_of(command) for command in taken if command]
    if most and None not in most:
        entry["words"] = max(most)
    commands[name] = entry

parsers = [KickstartParser(handler) for handler in handlers]
sections = {}
for name in sorted(set().union(*(parser._sections for parser in parsers))):
    known = [parser._sections.get(name) for parser in parsers]
    sections[name] = entry_of("".join("+" if section else "-" for section in known), [section._getParser() if hasattr(section, "_getParser") else None for section in known])

print('{\n"source": "pykickstart %s, by take-kickstart.py",\n"versions": %s,' % (sys.argv[1], json.dumps(VERSIONS)))
for title, entries in ("commands", commands), ("sections", sections):
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry, separators=(', ', ': '))}" for name, entry in entries.items())
    print('"%s": {\n%s\n}%s' % (title, lines, "," if title == "commands" else "\n}"))
