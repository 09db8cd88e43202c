#!/usr/bin/env python3
"""Distils the public API models of AWS into openapi/<service>.yaml.

    tools/distill.py botocore-1.44.5-py3-none-any.whl

Only what a server must know is kept: names, bindings, constraints, errors; no prose. The result is
OpenAPI 3.1. What OpenAPI has no word for stands in x- keys:

    x-service   of the document: id, signing, protocol, prefix (of the C names), target, xmlns;
                validation, refusal, input-prefix (tools/quirks.yaml)
    x-action, x-arn      of an operation: what IAM is asked (tools/authz.yaml)
    x-also, x-keys       what else must be allowed: "action|member|resource|service"; keys: "key|member"
    x-unsigned  the operation carries no signature; x-free: it needs no permission
    x-errors    names of schemas that have x-error: {code, status, fault}
    x-wrapper   query protocol: the element around the result
    x-member    the model's name of a member, where the wire has another
    x-payload   the body is this one member; x-status: the member that holds the status
    x-timestamp, x-document, x-union, x-sensitive, x-stream, x-dense   of a schema
    x-terse     of an operation: constraint texts without values

Paths: operations of the json and query protocols all live at "/", so theirs are "/#Operation";
"/restapis#mode=import" is told from "/restapis" by its query.
"""
import fnmatch
import gzip
import json
import os
import re
import sys
import zipfile

import yaml

SERVICES = {  # name: (version, prefix of C names)
    'cognito-idp': ('2016-04-18', 'idp'),
    'cognito-identity': ('2014-06-30', 'ci'),
    'iam': ('2010-05-08', 'iam'),
    'sts': ('2011-06-15', 'sts'),
    'apigateway': ('2015-07-09', 'apigw'),
    'apigatewayv2': ('2018-11-29', 'apiv2'),
    'apigatewaymanagementapi': ('2018-11-29', 'conn'),
    'lambda': ('2015-03-31', 'lambda'),
}
PARAMETER_IN = {'uri': 'path', 'querystring': 'query', 'header': 'header', 'headers': 'header'}
HERE = os.path.dirname(os.path.abspath(__file__))


def flow(value):
    """One line of YAML. JSON strings are YAML strings; plain where that cannot be misread."""
    if isinstance(value, dict):
        return '{' + ', '.join(f'{flow(k)}: {flow(v)}' for k, v in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ', '.join(flow(v) for v in value) + ']'
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (int, float)):
        return str(value)
    if re.fullmatch(r'[A-Za-z$_][A-Za-z0-9_./$+-]*', value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def ref(name):
    return {'$ref': '#/components/schemas/' + name}


def whole(number):
    return int(number) if float(number).is_integer() else number


class Service:
    def __init__(self, name, model, authz, quirks):
        self.name = name
        self.quirks = quirks
        self.model = model
        self.meta = model['metadata']
        self.shapes = model['shapes']
        self.authz = authz
        self.used = {}

    def schema(self, name):
        """Asks for a shape by name; it (and what it holds) will be written."""
        self.used.setdefault(name, None)
        return ref(name)

    def member(self, spec, wire=None, own=None):
        out = dict(self.schema(spec['shape']))
        if wire and own and wire != own:
            out['x-member'] = own
        for key, word in (('flattened', 'x-flattened'), ('jsonvalue', 'x-json'), ('timestampFormat', 'x-timestamp')):
            if key in spec:
                out[word] = spec[key]
        return out

    # --- shapes ---

    def scalar(self, shape):
        kind = shape['type']
        out = {'string': {'type': 'string'}, 'blob': {'type': 'string', 'format': 'byte'}, 'boolean': {'type': 'boolean'},
               'integer': {'type': 'integer', 'format': 'int32'}, 'long': {'type': 'integer', 'format': 'int64'},
               'float': {'type': 'number', 'format': 'float'}, 'double': {'type': 'number', 'format': 'double'},
               'timestamp': {'type': 'number', 'x-timestamp': shape.get('timestampFormat', 'default')}}[kind].copy()
        low, high = ('minLength', 'maxLength') if kind in ('string', 'blob') else ('minimum', 'maximum')
        if 'min' in shape:
            out[low] = whole(shape['min'])
        if 'max' in shape:
            out[high] = whole(shape['max'])
        for key in ('pattern', 'enum'):
            if key in shape:
                out[key] = shape[key]
        return out

    def stray(self, name, body):
        """What recordings show to be different (tools/quirks.yaml)."""
        seen = self.quirks.get('enums', {}).get(name)
        if seen:
            body['enum'] = seen + [value for value in body['enum'] if value not in seen]
        if name in self.quirks.get('open', []):
            del body['enum']
        if name in self.quirks.get('patterns', {}):
            body['pattern'] = self.quirks['patterns'][name]
            if body['pattern'] is None:
                del body['pattern']
        if name in self.quirks.get('dense', []):
            body['x-dense'] = True
        return body

    def flags(self, shape):
        return {word: True for key, word in (('sensitive', 'x-sensitive'), ('streaming', 'x-stream'), ('union', 'x-union'),
                                             ('eventstream', 'x-event-stream'), ('document', 'x-document')) if shape.get(key)}

    def error(self, shape):
        error = shape.get('error', {})
        fault = bool(shape.get('fault')) or error.get('httpStatusCode', 400) >= 500
        out = {'status': error.get('httpStatusCode', 500 if fault else 400)}
        if 'code' in error:
            out['code'] = error['code']
        if fault:
            out['fault'] = True
        return out

    def container(self, shape):
        """Lists and maps."""
        if shape['type'] == 'list':
            out = {'type': 'array', 'items': self.member(shape['member'])}
            if 'locationName' in shape['member']:
                out['xml'] = {'name': shape['member']['locationName']}
            low, high = 'minItems', 'maxItems'
        else:
            out = {'type': 'object', 'propertyNames': self.schema(shape['key']['shape']),
                   'additionalProperties': self.member(shape['value'])}
            names = {'key': shape['key'].get('locationName'), 'value': shape['value'].get('locationName')}
            if any(names.values()):
                out['x-entry'] = {k: v for k, v in names.items() if v}
            low, high = 'minProperties', 'maxProperties'
        for key, word in (('min', low), ('max', high)):
            if key in shape:
                out[word] = shape[key]
        if shape.get('flattened'):
            out['x-flattened'] = True
        return out

    def write_shape(self, name, lines):
        shape = self.shapes[name]
        if shape['type'] != 'structure' or shape.get('document'):
            body = {} if shape.get('document') else self.container(shape) if shape['type'] in ('list', 'map') else self.scalar(shape)
            lines.append(f'    {name}: {flow({**self.stray(name, body), **self.flags(shape)})}')
            return
        lines.append(f'    {name}:')
        lines.append('      type: object')
        if shape.get('exception') or 'error' in shape:
            lines.append(f'      x-error: {flow(self.error(shape))}')
        for word in self.flags(shape):
            lines.append(f'      {word}: true')
        inside = {own: spec for own, spec in shape['members'].items() if 'location' not in spec and own != shape.get('payload')}
        wires = {own: spec.get('locationName', own) for own, spec in inside.items()}
        required = [wires[own] for own in shape.get('required', []) if own in inside]
        if required:
            lines.append(f'      required: {flow(required)}')
        if inside:
            lines.append('      properties:')
        for own, spec in inside.items():
            lines.append(f'        {flow(wires[own])}: {flow(self.member(spec, wires[own], own))}')

    # --- operations ---

    def action(self, name, method):
        prefix = self.authz.get('prefix', self.name)
        rest = name
        if self.name in ('apigateway', 'apigatewayv2'):
            prefix, rest = 'apigateway', method
        for pattern, action in (self.authz.get('actions') or {}).items():
            if fnmatch.fnmatchcase(name, pattern):
                rest = action.replace('{operation}', name)
        return f'{prefix}:{rest}'

    def arn(self, name, path, op, shape):
        if op.get('authtype') == 'none' or name in self.quirks.get('unsigned', []):
            return '*'  # IAM is not asked
        for arn, patterns in self.authz['resources']:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                members = set(shape['members'])
                for member in re.findall(r'\{%?([A-Za-z]{2,})\}', re.sub(r'\[.*?\]', '', arn)):
                    if member not in members and member != 'UserName':  # absent: the caller
                        sys.exit(f'{self.name}: {name} has no member {member} for {arn}')
                return re.sub(r'\[.*?\{(\w+)\}\]', lambda m: m[0] if m[1] in members else '', arn)
        if not self.name.startswith('apigateway'):
            sys.exit(f'{self.name}: no resource for {name}')
        own = {spec.get('locationName', n): n for n, spec in shape['members'].items() if spec.get('location') == 'uri'}
        path = re.sub(r'\{(\w+)\+?\}', lambda m: '{' + own[m[1]] + '}', path.split('?')[0])
        return 'arn:{p}:apigateway:{r}::' + re.sub('^/v2', '', path)

    def member_exists(self, shape, path):
        """A path of members, through lists and maps; patchOperations:/path is one of the first kind."""
        for name in path.split(':')[0].split('.'):
            while shape['type'] in ('list', 'map'):
                shape = self.shapes[(shape.get('member') or shape['value'])['shape']]
            if name not in shape.get('members', {}):
                return False
            shape = self.shapes[shape['members'][name]['shape']]
        return True

    def beside(self, name, shape):
        """x-also and x-keys."""
        found = {'x-also': [], 'x-keys': []}
        for action, member, resource, names, *service in self.authz.get('also', []):
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
                found['x-also'].append('|'.join([action, member, resource, *service]))
                if not self.member_exists(shape, member):
                    sys.exit(f'{self.name}: {name} has no {member} for {action}')
        for key, member, names in self.authz.get('keys', []):
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
                if member.startswith('arn:') or self.member_exists(shape, member):
                    found['x-keys'].append(f'{key}|{member}')
                else:
                    sys.exit(f'{self.name}: {name} has no {member} for {key}')
        return {key: rows for key, rows in found.items() if rows}

    def parameters(self, shape):
        rows = []
        for own, spec in shape['members'].items():
            if 'location' not in spec:
                continue
            wire = spec.get('locationName', own)
            row = {'name': wire, 'in': PARAMETER_IN[spec['location']]}
            if own in shape.get('required', []):
                row['required'] = True
            if wire != own:
                row['x-member'] = own
            if spec['location'] == 'headers':
                row['x-prefix'] = True
            if 'jsonvalue' in spec:
                row['x-json'] = True
            row['schema'] = self.schema(spec['shape'])
            rows.append(row)
        return rows

    def body(self, shape, name, answer=False):
        """Content of a request or an answer; None when there is none."""
        payload = shape.get('payload')
        if payload:
            spec = shape['members'][payload]
            blob = self.shapes[spec['shape']]['type'] == 'blob'
            content = {'schema': self.schema(spec['shape']), 'x-payload': payload}
            if payload in shape.get('required', []):
                content['x-required'] = True
            anything = blob and self.name != 'lambda'  # whose blobs are JSON
            return {'content': {'*/*' if anything else 'application/json': content}}
        if not answer and all('location' in spec for spec in shape['members'].values()):
            return None
        kind = {'query': 'application/x-www-form-urlencoded', 'json': 'application/x-amz-json-1.1'}.get(self.meta['protocol'], 'application/json')
        return {'content': {kind: {'schema': self.schema(name)}}}

    def write_operation(self, name, op, lines):
        path = op['http']['requestUri']
        method = op['http']['method']
        rest = self.meta['protocol'] == 'rest-json'
        lines.append(f'    {method.lower()}:')
        lines.append(f'      operationId: {name}')
        input_shape = self.shapes[op['input']['shape']] if 'input' in op else {'members': {}}
        lines.append(f'      x-action: {flow(self.action(name, method))}')
        lines.append(f'      x-arn: {flow(self.arn(name, path, op, input_shape))}')
        lines.extend(f'      {key}: {flow(rows)}' for key, rows in self.beside(name, {'type': 'structure', **input_shape}).items())
        if op.get('authtype') == 'none' or name in self.quirks.get('unsigned', []):
            lines.append('      x-unsigned: true')
        if name in self.authz.get('free', []):
            lines.append('      x-free: true')
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.quirks.get('terse', [])):
            lines.append('      x-terse: true')
        rows = self.parameters(input_shape)
        if rows:
            lines.append('      parameters:')
            lines.extend(f'        - {flow(row)}' for row in rows)
        if 'input' in op:
            body = self.body(input_shape, op['input']['shape'])
            if body:
                lines.append(f'      requestBody: {flow(body)}')
        answer = {'description': 'OK'}
        status = op['http'].get('responseCode', 200)
        if 'output' in op:
            shape = self.shapes[op['output']['shape']]
            if 'resultWrapper' in op['output']:
                answer['x-wrapper'] = op['output']['resultWrapper']
            headers = {}
            for own, spec in shape['members'].items():
                if spec.get('location') == 'statusCode':
                    answer['x-status'] = {'x-member': own, **self.schema(spec['shape'])}
                elif 'location' in spec:
                    headers[spec['locationName']] = {'x-member': own, 'schema': self.schema(spec['shape'])}
                    if spec['location'] == 'headers':
                        headers[spec['locationName']]['x-prefix'] = True
            if headers:
                answer['headers'] = headers
            answer.update(self.body(shape, op['output']['shape'], status != 204) or {})
        lines.append(f'      responses: {flow({str(status): answer})}')
        errors = [e['shape'] for e in op.get('errors', [])]
        for error in errors:
            self.schema(error)
        if errors:
            lines.append(f'      x-errors: {flow(errors)}')

    def path_key(self, name, op):
        path = op['http']['requestUri']
        if self.meta['protocol'] in ('json', 'query'):
            return f'/#{name}'
        return path.replace('?', '#')

    def document(self):
        meta = self.meta
        facts = {'id': self.name, 'signing': meta.get('signingName', meta['endpointPrefix']), 'protocol': meta['protocol'],
                 'prefix': SERVICES[self.name][1]}
        if 'targetPrefix' in meta:
            facts['target'] = meta['targetPrefix']
        if 'xmlNamespace' in meta:
            facts['xmlns'] = meta['xmlNamespace']
        facts.update({key: self.quirks[key] for key in ('validation', 'refusal', 'input-prefix') if key in self.quirks})
        lines = ['# Written by tools/distill.py from the public API models (./dev models); names, bindings, constraints and errors only.',
                 'openapi: 3.1.0', f'info: {flow({"title": meta["serviceFullName"], "version": meta["apiVersion"]})}',
                 f'x-service: {flow(facts)}', 'paths:']
        paths = {}
        for name, op in sorted(self.model['operations'].items()):
            paths.setdefault(self.path_key(name, op), []).append((name, op))
        for path, group in sorted(paths.items()):
            lines.append(f'  {flow(path)}:')
            for name, op in group:
                self.write_operation(name, op, lines)
        lines += ['components:', '  schemas:']
        written = {}
        while len(written) < len(self.used):  # what is written may ask for more
            for name in [n for n in self.used if n not in written]:
                written[name] = []
                self.write_shape(name, written[name])
        for name in sorted(written):
            lines.extend(written[name])
        return '\n'.join(lines) + '\n'


def read_yaml(name):
    with open(os.path.join(HERE, name), encoding='utf-8') as f:
        return yaml.safe_load(f)


def main(wheel):
    authz, quirks = (read_yaml(name) for name in ('authz.yaml', 'quirks.yaml'))
    total = 0
    with zipfile.ZipFile(wheel) as models:
        for name, (version, _) in SERVICES.items():
            model = json.loads(gzip.decompress(models.read(f'botocore/data/{name}/{version}/service-2.json.gz')))
            text = Service(name, model, authz[name], quirks[name]).document()
            yaml.load(text, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))
            with open(os.path.join(HERE, '..', 'openapi', name + '.yaml'), 'w', encoding='utf-8') as f:
                f.write(text)
            total += len(model['operations'])
            print(f'{name}: {len(model["operations"])} operations')
    print(f'{total} operations in all')


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
