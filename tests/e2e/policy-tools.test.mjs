// gatehouse policy check, test and diff: documents in files, no server.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { binary, run, scratch } from './support/harness.mjs';

const statement = (more) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::books/*', ...more });
const policy = (...statements) => JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 1);

// [exit code, lines of standard output, standard error]
async function tool(folder, verb, files, ...words) {
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
    const { code, stdout, stderr } = await run(binary(), ['policy', verb, ...Object.keys(files), ...words], { cwd: folder });
    return [code, stdout.trim().split('\n').filter(Boolean), stderr];
}

test('check: each finding with its place; errors and security warnings stop, advice does not', async (t) => {
    const folder = scratch(t);
    assert.deepEqual(await tool(folder, 'check', { 'good.json': policy(statement()) }), [0, [], '']);
    const bad = '{\n "Version": "2012-10-17",\n "Statement": {\n  "Effect": "Allow",\n  "Action": ["s3:GetObjekt", "iam:PassRole"],\n  "Resource": "*"\n }\n}\n';
    const [code, lines] = await tool(folder, 'check', { 'bad.json': bad });
    assert.equal(code, 2);
    assert.match(lines[0], /^bad\.json:3:15: SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE: /);
    assert.equal(lines[1], 'bad.json:5:14: ERROR INVALID_ACTION: The action s3:GetObjekt does not exist. Did you mean s3:GetObject?');
    const advice = policy(statement({ Action: ['s3:Get*', 's3:GetObject'] }));
    const [fine, [line]] = await tool(folder, 'check', { 'advice.json': advice });
    assert.deepEqual([fine, /SUGGESTION REDUNDANT_ACTION/.test(line)], [0, true]);

    const [, [json]] = await tool(folder, 'check', { 'bad.json': bad }, '--json');
    const [, finding] = JSON.parse(json);
    assert.deepEqual([finding.findingType, finding.issueCode], ['ERROR', 'INVALID_ACTION']);
    assert.deepEqual(finding.locations[0].path, [{ value: 'Statement' }, { value: 'Action' }, { index: 0 }]);
    const { start: from, end } = finding.locations[0].span;
    assert.equal(bad.slice(from.offset, end.offset), '"s3:GetObjekt"');
    assert.deepEqual([from.line, from.column], [5, 13]);

    assert.equal((await tool(folder, 'check', { 'trust.json': policy(statement({ Principal: '*' })) }))[0], 2);
    const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
    assert.equal((await tool(folder, 'check', { 'trust.json': policy(trust) }, '--type', 'trust'))[0], 0);
    for (const words of [[], ['absent.json'], ['good.json', '--type', 'x'], ['good.json', '--colour']]) {
        const { code: no, stderr } = await run(binary(), ['policy', 'check', ...words], { cwd: folder });
        assert.deepEqual([no, stderr !== ''], [1, true], words.join(' '));
    }
});

test('test: cases in YAML against all layers; a failed one says which statement decided', async (t) => {
    const folder = scratch(t);
    fs.writeFileSync(path.join(folder, 'reader.json'), policy(
        statement({ Sid: 'Own', Resource: 'arn:aws:s3:::books/${aws:username}/*' }),
        statement({ Sid: 'Office', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    ));
    const layers = (more, policies = '') => `policies:\n  identity: [reader.json]\n${policies}principal: arn:aws:iam::123456789012:user/ada\n${more}`;
    const one = (expect, more = '', resource = 'arn:aws:s3:::books/x') => ` - { action: s3:GetObject, resource: "${resource}", expect: ${expect}${more} }\n`;
    const good = layers('cases:\n') + one('allowed', ', context: { aws:SourceIp: 10.0.0.7 }') + one('denied') + one('implicitDeny') +
        one('allowed', '', 'arn:aws:s3:::books/ada/1') + one('denied', ', principal: anonymous', 'arn:aws:s3:::books/ada/1') +
        one('allowed', ', principal: "arn:aws:iam::123456789012:root"');
    assert.equal((await tool(folder, 'test', { 'good.yaml': good }))[0], 0);
    const document = (effect, more = '') => `{ Version: "2012-10-17", Statement: { Effect: ${effect}, Action: "s3:*", Resource: "*"${more} } }`;
    const inOffice = ', context: { aws:SourceIp: 10.0.0.7 }';
    for (const [layer, effect, expect, more = ''] of [
        ['boundary', 'Deny', 'explicitDeny'], ['session', 'Deny', 'explicitDeny'], ['serviceControl', 'Deny', 'explicitDeny'],
        ['resource', 'Deny', 'explicitDeny', ', Principal: "*"'], ['resourceControl', 'Deny', 'explicitDeny', ', Principal: "*"'],
        ['boundary', 'Allow', 'allowed'], ['resource', 'Allow', 'allowed', ', Principal: "*"'],
    ]) {
        const file = layers('cases:\n', `  ${layer}: ${document(effect, more)}\n`) + one(expect, inOffice);
        assert.equal((await tool(folder, 'test', { 'layer.yaml': file }))[0], 0, `${layer} ${effect}`);
    }
    const [code, lines] = await tool(folder, 'test', { 'bad.yaml': layers('cases:\n') + one('denied', inOffice) });
    assert.equal(code, 1);
    assert.match(lines[0], /^FAILED bad\.yaml:5 s3:GetObject$/);
    assert.match(lines[1], /expected denied, and it is allowed$/);
    assert.match(lines.join('\n'), /statement 2 \(Sid Office\) of .*reader\.json.*line 10/);
    assert.equal(lines.at(-1), '0 passed, 1 failed');

    for (const [text, said] of [
        [layers(''), /a map with a list of cases/], [layers('cases: 1'), /a map with a list of cases/], [layers('cases:\n') + one('maybe'), /bad\.yaml:5: expect is one of/],
        [layers('cases:\n - { action: a:b }'), /bad\.yaml:5: expect is one of/], [layers('cases:\n - { expect: denied }'), /bad\.yaml:5: action must be/],
        [layers('case: []\ncases:\n - { action: a:b, expect: denied }'), /There is no case; a question has/], [layers('cases:\n - { action: a:b, expect: denied, colour: red }'), /There is no colour/],
        ['policies: { identity: [absent.json] }\ncases: []', /absent\.json cannot be read/], ['policies: { identity: { Version: x } }\ncases:\n - { action: a:b, expect: denied }', /bad\.yaml:3: identity\.1: Syntax errors in policy/],
        ['policies: { identity: bad.yaml }\ncases: []', /bad\.yaml is no policy document/], ['a: [', /line /], [layers('cases: []'), /^$/],
    ]) {
        const [no, , stderr] = await tool(folder, 'test', { 'bad.yaml': text });
        assert.equal(no, 1, text);
        assert.match(stderr, said, text);
    }
});

test('diff: what becomes allowed or denied, where, and under which context', async (t) => {
    const folder = scratch(t);
    const diff = (before, after, ...words) => tool(folder, 'diff', { 'a.json': before, 'b.json': after }, ...words);
    const wide = policy(statement({ Action: 's3:*' })), same = JSON.stringify(JSON.parse(policy(statement())));
    assert.deepEqual(await diff(policy(statement()), same), [0, ['nothing becomes allowed or denied'], '']);
    assert.deepEqual((await diff(policy(statement()), policy(statement({ Action: ['s3:GetObject', 's3:PutObject'] })))).slice(0, 2),
        [2, ['allowed now: s3:PutObject on arn:aws:s3:::books/*  (b.json:4:3)']]);
    const [, [narrower]] = await diff(wide, policy(statement()), '--json');
    const [change] = JSON.parse(narrower);
    assert.deepEqual([change.before, change.after, change.resource, change.actions.includes('s3:PutObject'), change.actions.includes('s3:GetObject')],
        ['allowed', 'implicitDeny', 'arn:aws:s3:::books/*', true, false]);
    const office = statement({ Condition: { IpAddress: { 'aws:SourceIp': '10.1.0.0/16' }, Bool: { 'aws:SecureTransport': 'true' } } });
    assert.deepEqual((await diff(policy(statement({ Action: 's3:PutObject' })), policy(statement({ Action: 's3:PutObject' }), office)))[1],
        ['allowed now: s3:GetObject on arn:aws:s3:::books/* when aws:SourceIp 10.1.0.0, aws:SecureTransport true  (b.json:9:3)']);
    assert.match((await diff(policy(statement()), policy(statement(), statement({ Effect: 'Deny', Resource: 'arn:aws:s3:::books/drafts/*' }))))[1].join('\n'),
        /^denied now: s3:GetObject on arn:aws:s3:::books\/drafts\/\*/);
    const [impossible, , stderr] = await diff(policy(statement()), policy(statement(), statement({ Action: 's3:PutObject', Condition: { StringEquals: { 'aws:a': 'x' }, StringNotEquals: { 'aws:a': 'x' } } })));
    assert.deepEqual([impossible, /no request could be made that meets/.test(stderr)], [0, true]);
    const [no, , why] = await diff(policy(statement()), '{}');
    assert.deepEqual([no, why], [1, 'gatehouse: the second document: Syntax errors in policy.\n']);
});
