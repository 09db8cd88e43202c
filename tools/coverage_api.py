#!/usr/bin/env python3
"""Reads `gatehouse capabilities` and prints a line a service: how many of AWS's operations are built."""
import json
import sys

found = json.load(sys.stdin)
print(f'{"service":<26}{"built":>6}{"of":>6}{"":>7}  refused members')
for name, service in found['services'].items():
    built, operations = service['built_count'], service['operations']
    print(f'{name:<26}{built:>6}{operations:>6}{100 * built / operations:>6.0f}%  {len(service["refused_members"])}')
built, operations = found['built_count'], found['operations']
print(f'{"all":<26}{built:>6}{operations:>6}{100 * built / operations:>6.0f}%')
if '--missing' in sys.argv:
    for name, service in found['services'].items():
        print(f'\n{name}: {", ".join(service["missing"]) or "nothing is missing"}')
if found['left_out']:
    print('\nleft out, and why:')
    for one in found['left_out']:
        print(f'  {one}')
