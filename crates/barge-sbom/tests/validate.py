#!/usr/bin/env python3
"""Checks bills of materials with the validators of the specifications: validate.py FILE...

Needs cyclonedx-python-lib[json-validation,xml-validation] and spdx-tools. Works without network.
"""
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def problems(path):
    if path.endswith(".spdx.json"):
        messages = validate_full_spdx_document(parse_file(path))
        return [message.validation_message for message in messages]
    kind = XmlValidator if path.endswith(".xml") else JsonStrictValidator
    with open(path, encoding="utf-8") as file:
        error = kind(SchemaVersion.V1_6).validate_str(file.read())
    return [str(error)] if error else []


failed = False
for path in sys.argv[1:]:
    found = problems(path)
    failed = failed or bool(found)
    print(path, "valid" if not found else "INVALID: " + "; ".join(found)[:2000])
sys.exit(1 if failed else 0)
