# SPDX-License-Identifier: Apache-2.0
"""Schemathesis: requests made of the OpenAPI document, and answers held
against it."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any, Final

from proof.fuzz.names import RECORDS
from proof.fuzz.service import MEMBER, PEERS, Persona, Service, basic

# Every check there is.  That of object_level_authorization asks as the
# peers, of whom nobody may see what another one has.
_CONFIG: Final = """\
hooks = "proof.fuzz.hooks"
request-timeout = 30.0
continue-on-failure = true
suppress-health-check = ["all"]
[checks]
# As long as a busy machine may need; a request that hangs is a failure.
max_response_time = 20.0
not_a_server_error.enabled = true
status_code_conformance.enabled = true
content_type_conformance.enabled = true
response_headers_conformance.enabled = true
response_schema_conformance.enabled = true
# 400 for what no schema can say is left out by proof/fuzz/reasons.py.
positive_data_acceptance.enabled = true
negative_data_rejection.enabled = true
use_after_free.enabled = true
ensure_resource_availability.enabled = true
ignored_auth.enabled = true
object_level_authorization.enabled = true
unsupported_method.enabled = true
allow_header_conformance.enabled = true
# The document requires no header; on for the day that it does.
missing_required_header.enabled = true
[phases]
examples.enabled = true
examples.fill-missing = true
coverage.enabled = true
fuzzing.enabled = true
stateful.enabled = true
"""
# Where the hooks are imported from; schemathesis runs in a place of its own.
_ROOT: Final = pathlib.Path(__file__).resolve().parents[2]
# Below it a run has a request or two of each kind.
_LEAST: Final = 2
# Stories of several requests, for each example of one operation.
_STORIES: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Conformity:
    """The result of a run: `cases` were sent, `failures` are kinds of faults;
    `text`: what schemathesis printed."""

    cases: int
    failures: tuple[str, ...]
    text: str


def run(service: Service, persona: Persona, *, seed: int,
        examples: int) -> Conformity:
    """Ask as a persona, so many examples of each operation."""
    place = service.directory.parent / f'conform-{persona.name}'
    place.mkdir(exist_ok=True)
    _write(place, examples)
    done = subprocess.run(
        [sys.executable, '-m', 'schemathesis.cli', '--config-file',
         str(place / 'schemathesis.toml'), 'run',
         f'http://127.0.0.1:{service.port}/v1/openapi.json',
         *_identity(place, persona), '--seed', str(seed),
         '-n', str(max(_LEAST, examples)), '--no-shrink', '--no-color',
         '--generation-database', 'none', '--report', 'json',
         '--report-json-path', str(place / 'report.json')],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors='replace', check=False,
        env=os.environ | {RECORDS: str(recorded(service)),
                          'PYTHONPATH': str(_ROOT)}, cwd=place)
    text = done.stdout
    (place / 'output.txt').write_text(text, encoding='utf-8')
    return read(_load(place / 'report.json'), done.returncode, text)


def _load(path: pathlib.Path) -> dict[str, Any]:
    return json.loads(path.read_bytes()) if path.exists() else {}


def read(report: dict[str, Any], status: int, text: str) -> Conformity:
    """Return what a report says; without one the run itself has failed."""
    failures = [f'{failure["code"]} {failure["title"]}: '
                f'{", ".join(map(str, failure["operations"]))}'
                for failure in report.get('failures', [])]
    failures += [f'error: {error["title"]}'
                 for error in report.get('errors', [])]
    if not report.get('complete') or (status and not failures):
        failures.append(f'schemathesis ended with {status}')
    return Conformity(report.get('test_cases', {}).get('generated', 0),
                      tuple(failures), text)


def recorded(service: Service) -> pathlib.Path:
    """Return the file of the requests that have been sent."""
    return service.directory.parent / 'requests.jsonl'


def _write(place: pathlib.Path, examples: int) -> None:
    (place / 'schemathesis.toml').write_text(
        f'{_CONFIG}[phases.stateful.generation]\n'
        f'max-examples = {_STORIES * max(_LEAST, examples)}\n',
        encoding='utf-8')
    (place / 'auth.json').write_text(json.dumps({'auth': [
        {'name': one.name, 'fixedHeaders': [
            {'name': 'Authorization', 'value': basic(one)}]}
        for one in PEERS]}), encoding='utf-8')


def _identity(place: pathlib.Path, persona: Persona) -> list[str]:
    if persona is not MEMBER:
        return ['--auth', f'{persona.name}:{persona.password}']
    with (place / 'schemathesis.toml').open('a', encoding='utf-8') as config:
        config.write(f'[auth.wfc]\npath = "{place}/auth.json"\n'
                     f'user = "{persona.name}"\n'
                     f'peers = {json.dumps([one.name for one in PEERS])}\n')
    return []
