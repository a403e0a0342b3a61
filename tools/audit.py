# SPDX-License-Identifier: Apache-2.0
"""Ask PyPI for known vulnerabilities of the packages of this environment.

Fails where there is one, and where only some packages could be asked about;
where none could, there is nothing to say: the service is out of reach.
"""

import json
import subprocess
import sys


def main() -> int:
    done = subprocess.run(
        [sys.executable, '-m', 'pip_audit', '--local', '--skip-editable',
         '--progress-spinner', 'off', '--format', 'json'],
        capture_output=True, text=True, check=False)
    if not done.stdout:
        print(f'skipped: {done.stderr.strip().splitlines()[-1]}')
        return 0
    found = json.loads(done.stdout)['dependencies']
    asked = [each for each in found if 'vulns' in each]
    if not asked:
        print('skipped: the index does not tell of vulnerabilities')
        return 0
    faults = [f'{each["name"]} {each["version"]}: {fault["id"]}, mended in '
              f'{", ".join(fault["fix_versions"]) or "no release"}'
              for each in asked for fault in each['vulns']]
    faults += [f'{each["name"]}: {each["skip_reason"]}' for each in found
               if 'skip_reason' in each and each['name'] != 'mogan']
    print(f'{len(asked)} packages', *faults, sep='\n')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
