"""Reads a cloud-config on standard input and prints what the installer needs of it, one NAME=VALUE a line.

The last line on standard error says what is wrong with a document that can't be obeyed (exit code 1).
"""
import re
import sys

import yaml

HEADERS = ("#cloud-config", "#kairos-config", "#node-config")


def refuse(reason):
    sys.exit(" ".join(str(reason).split()))


def flag(install, name):
    value = install.get(name, False)
    if value is None:
        value = False
    if not isinstance(value, bool):
        refuse(f"install.{name} is {value!r}: say true or false")
    return value


try:
    text = sys.stdin.buffer.read().decode("utf-8-sig")
except UnicodeDecodeError as error:
    refuse(f"it isn't UTF-8: {error}")

if text.split("\n", 1)[0].strip() not in HEADERS:
    refuse(f"the first line has to be {HEADERS[0]}")

try:
    document = yaml.safe_load(text)
except yaml.MarkedYAMLError as error:
    # Without the excerpt that PyYAML adds: the line may hold a secret.
    mark = error.problem_mark
    refuse(f"{error.problem}" + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""))
except Exception as error:  # such as a ValueError for the date 2026-02-31
    refuse(f"it isn't YAML: {type(error).__name__}")

if document is None:
    document = {}
if not isinstance(document, dict):
    refuse("it has to be a mapping")
install = document.get("install")
if install is None:
    install = {}
if not isinstance(install, dict):
    refuse("'install' has to be a mapping")

device = install.get("device")
if device is None:
    device = ""
if not isinstance(device, str) or not re.fullmatch(r"|auto|/dev/[A-Za-z0-9/_.:@+-]+", device):
    refuse(f"install.device is {device!r}: name a disk (/dev/…), or 'auto' for the largest")

print(f"device={device}")
for name in ("auto", "poweroff", "reboot"):
    print(f"{name}={str(flag(install, name)).lower()}")
