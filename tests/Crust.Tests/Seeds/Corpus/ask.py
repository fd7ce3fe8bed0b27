"""Asks an independent implementation about documents: ask.py WHOM SCHEMAS FILE…

Prints `refused` or `taken`, a tab and the file's name for each. WHOM is
  cloud-init   cloud-init's own check, as `cloud-init schema --config-file` runs it, with the schema of the installed version
  jsonschema   python3-jsonschema with Crust's copy of cloud-init's schema
  metaschema   python3-jsonschema about the schemas (the files) themselves
"""
import json
import sys

import jsonschema
import yaml

whom, schemas, files = sys.argv[1], sys.argv[2], sys.argv[3:]


def by_cloud_init(path):
    from cloudinit.config.schema import SchemaValidationError, get_schema, validate_cloudconfig_schema
    try:
        validate_cloudconfig_schema(yaml.safe_load(open(path)) or {}, get_schema(), strict=True, log_deprecations=False)
        return True
    except SchemaValidationError as error:
        # What is deprecated is told, and taken.
        return not error.schema_errors


def by_jsonschema(path):
    schema = json.load(open(f"{schemas}/cloud-config.json"))
    # The keys of Crust's reference installer are no part of cloud-init's.
    config = {key: value for key, value in (yaml.safe_load(open(path)) or {}).items() if key not in ("install", "stages", "network")}
    # As cloud-init does: what is tagged !!binary is text, too.
    text = jsonschema.Draft4Validator.TYPE_CHECKER.redefine("string", lambda _, value: isinstance(value, (str, bytes)))
    validator = jsonschema.validators.extend(jsonschema.Draft4Validator, type_checker=text)
    return validator(schema, format_checker=jsonschema.FormatChecker(["date"])).is_valid(config)


def by_metaschema(path):
    schema = json.load(open(path))
    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
        return True
    except jsonschema.SchemaError:
        return False


ask = {"cloud-init": by_cloud_init, "jsonschema": by_jsonschema, "metaschema": by_metaschema}[whom]
for file in files:
    print("taken" if ask(file) else "refused", file, sep="\t")
