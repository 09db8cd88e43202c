// gatehouse test: fixtures without a server, and fixtures made of recorded requests.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { api } from './support/apis.mjs';
import { binary, request, root, run, scratch, start } from './support/harness.mjs';

const examples = path.join(root, 'examples/fixtures');
const gatehouse = (args, options) => run(binary(), args, options);

function folder(t, files) {
    const dir = scratch(t);
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text);
    return dir;
}

test('the examples pass; JUnit lists them', async (t) => {
    const junit = path.join(scratch(t), 'junit.xml');
    const { code, stdout, stderr } = await gatehouse(['test', examples, '--junit', junit]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^11 fixtures, 0 failed$/m);
    const xml = fs.readFileSync(junit, 'utf8');
    assert.match(xml, /tests="11" failures="0"/);
    assert.match(xml, /name="readers may read"/);
});

test('what does not come out as expected fails, says what did, and exits with 1', async (t) => {
    const dir = folder(t, {
        'a.yaml': `
- {name: text, template: 'x$input.body', body: hello, expect: {output: xhallo}}
- {name: json, template: '{"a": [1,2]}', expect: {json: {a: [1]}}}
- {name: not json, template: '{', expect: {json: {}}}
- {name: fails, template: '#if(true)', expect: {output: ''}}
- {name: does not fail, template: 'ok', expect: {error: anything}}
- {name: override, template: '#set($context.responseOverride.status = 201)', expect: {responseOverride: {}}}
- {name: twice, template: '#set($context.responseOverride.header.a = 1)#set($context.responseOverride.header.a = 2)', expect: {error: the same override is set twice}}
- {name: model, model: {type: integer}, body: '"1"', expect: {valid: true}}
- {name: good, template: 'a < b & c', expect: {output: 'a < b & c'}}
`,
    });
    const junit = path.join(dir, 'junit.xml');
    const { code, stdout } = await gatehouse(['test', dir, '--junit', junit]);
    assert.equal(code, 1);
    assert.match(stdout, /FAIL .*a\.yaml:2 text\n {2}output\n {4}expected: xhallo\n {4}got: {6}xhello/);
    assert.match(stdout, /FAIL .*json\n {2}json\n {4}expected: \{"a":\[1\]\}\n {4}got: {6}\{"a":\[1,2\]\}/);
    assert.match(stdout, /FAIL .*fails\n {2}error\n.*\n {4}got: {6}line 1, column 10: #end expected/);
    assert.match(stdout, /FAIL .*override\n {2}responseOverride\n {4}expected: \{\}\n {4}got: {6}\{"status":"201"\}/);
    assert.match(stdout, /errors: {3}\[instance type \(string\)/);
    assert.match(stdout, /^ok .*twice$/m);
    assert.match(stdout, /^9 fixtures, 7 failed$/m);
    assert.match(fs.readFileSync(junit, 'utf8'), /tests="9" failures="7"/);
});

test('what is misspelt is refused by name, file and line; an empty folder does not pass', async (t) => {
    const said = async (text) => (await gatehouse(['test', folder(t, { 'f.yaml': text })])).stdout;
    assert.match(await said('template: x\n\nexepct: {output: x}\n'), /f\.yaml:3: no field of a template's fixture is called "exepct"; there are template, name, body,/);
    assert.match(await said('template: x\nexpect:\n  ouput: x\n'), /f\.yaml:3: no field of expect is called "ouput"; there are output, json, error,/);
    assert.match(await said('template: x\nparams: {headers: {}}\nexpect: {output: x}\n'), /f\.yaml:2: no field of params is called "headers"/);
    assert.match(await said('template: x\nmodel: {}\nexpect: {output: x}\n'), /f\.yaml:1: template, model and authorizer exclude each other/);
    assert.match(await said('template: x\n'), /f\.yaml:1: expect, a map of what must come out, is missing/);
    assert.match(await said('template: {file: ../../etc/passwd}\nexpect: {output: x}\n'), /f\.yaml:1: there is no file \.\.\/\.\.\/etc\/passwd beside/);
    assert.match(await said('template: [x\n'), /f\.yaml: line \d+: /);
    assert.match(await said('template: x\ntemplate: y\nexpect: {output: x}\n'), /f\.yaml: line 2: a name that occurs twice/);
    const empty = await gatehouse(['test', scratch(t)]);
    assert.equal(empty.code, 1);
    assert.match(empty.stderr, /no fixture/);
    assert.equal((await gatehouse(['test', '/nowhere/at/all'])).code, 1);
    assert.equal((await gatehouse(['test'])).code, 1);
});

test('a recorded request becomes a fixture without its secrets, and passes', async (t) => {
    const server = await start(t);
    const one = await api(server, {
        'POST /orders/{id}': {
            integration: {
                type: 'MOCK',
                requestTemplates: { 'application/json': '#set($context.responseOverride.status = 202)\n{"statusCode": 200, "who": "$input.path(\'$.name\')", "pw": "$input.path(\'$.password\')", "key": "$input.params(\'x-api-key\')"}' },
            },
            answers: { 200: { responseTemplates: { 'application/json': '{"id": "$input.params(\'id\')", "path": "$context.resourcePath", "v": "$stageVariables.v"}' } } },
        },
    }, { name: 'orders', variables: { v: '3', dbPassword: 'hunter22' } });
    const env = { AWS_ENDPOINT_URL: server.url };
    const unrecorded = await request(`${one.url}/orders/7`, { method: 'POST', body: '{}' });
    const none = await gatehouse(['why', unrecorded.headers['x-gatehouse-trace'], '--save-fixture', '/dev/null/x'], { env });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /recordRequests=true/);

    assert.equal((await gatehouse(['options', 'orders', 'dev', 'recordRequests=true'], { env })).code, 0);
    const answer = await request(`${one.url}/orders/7`, {
        method: 'POST', body: '{"name":"Ann","password":"geheim-1"}',
        headers: { 'content-type': 'application/json', 'x-api-key': 'geheim-2', authorization: 'Bearer geheim-3' },
    });
    assert.equal(answer.status, 202);
    const file = path.join(scratch(t), 'saved.json'), trace = answer.headers['x-gatehouse-trace'];
    const saved = await gatehouse(['why', trace, '--save-fixture', file], { env });
    assert.equal(saved.code, 0, saved.stderr);
    const text = fs.readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /geheim|hunter22/);
    const fixtures = JSON.parse(text);
    assert.equal(fixtures.length, 2);
    assert.deepEqual(fixtures[0].expect.responseOverride, { status: '202' });
    assert.match(fixtures[0].expect.output, /"who": "Ann", "pw": "REDACTED"/);
    assert.equal(fixtures[1].expect.output, '{"id": "7", "path": "/orders/{id}", "v": "3"}');
    const again = await gatehouse(['why', trace, '--save-fixture', file], { env });
    assert.equal(again.code, 1, 'a fixture is not written over');
    const ran = await gatehouse(['test', path.dirname(file)]);
    assert.equal(ran.code, 0, ran.stdout);
    assert.match(ran.stdout, /2 fixtures, 0 failed/);
});
