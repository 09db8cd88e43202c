// Rows about policies: what a decision costs among few and among many statements, and what compiling a document
// costs. Beside them Cedar, the policy language that is nearest to IAM's, compiled to WebAssembly: the same
// statements in its words, read beforehand, the same request, in this same run.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../tests/e2e/support/harness.mjs';
import { few, many, sixKiB } from './policy-documents.mjs';

const here = path.join(root, 'bench');
const core = ['arena', 'str', 'map', 'glob', 'ip', 'base64', 'time', 'json', 'json_tree', 'env_system', 'err'];

// Through an archive, so that only what a decision needs is linked.
function program() {
    const folder = path.join(root, 'build/bench_policy.d'), out = path.join(root, 'build/bench_policy'), archive = path.join(folder, 'lib.a');
    const libraries = execFileSync('pkg-config', ['--cflags', '--libs', 'jansson', 'libcrypto']).toString().trim().split(/\s+/);
    const sources = [...fs.readdirSync(path.join(root, 'policy')).filter((file) => file.endsWith('.c')).map((file) => path.join(root, 'policy', file)),
        ...core.map((name) => path.join(root, 'core', `${name}.c`))];
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder, { recursive: true });
    execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-I', root, '-c', ...sources], { cwd: folder });
    execFileSync('ar', ['rcs', archive, ...fs.readdirSync(folder).map((file) => path.join(folder, file))]);
    execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-I', root, '-o', out, path.join(here, 'policy.c'), archive, ...libraries, '-lm']);
    return out;
}

const list = (value) => [value].flat();
const any = (patterns, of) => `(${list(patterns).map((pattern) => (pattern === '*' ? 'true' : `${of} like ${JSON.stringify(pattern.replaceAll('${aws:username}', 'ann'))}`)).join(' || ')})`;
const conditions = {
    Bool: (key, values) => `${key} == ${values[0]}`,
    StringEquals: (key, values) => `[${values.map((v) => JSON.stringify(v))}].contains(${key})`,
    StringNotEquals: (key, values) => `![${values.map((v) => JSON.stringify(v))}].contains(${key})`,
    NotIpAddress: (key, values) => values.map((net) => `!${key}.isInRange(ip("${net}"))`).join(' && '),
};
const context = { 'aws:SecureTransport': 'context.tls', 'aws:SourceIp': 'context.ip', 'aws:PrincipalTag/team': 'context.team', 'aws:RequestedRegion': 'context.region' };

// One statement of IAM's in Cedar's words.
function inCedar({ Effect, Action, NotAction, Resource, Condition = {} }) {
    const what = Action ? any(Action, 'context.action') : `!${any(NotAction, 'context.action')}`;
    const when = Object.entries(Condition).flatMap(([operator, keys]) => Object.entries(keys).map(([key, values]) => conditions[operator](context[key], list(values))));
    return `${Effect === 'Allow' ? 'permit' : 'forbid'}(principal, action, resource) when { ${[what, any(Resource, 'context.resource'), ...when].join(' && ')} };`;
}

function cedarUs(cedar, name, document, api, quick) {
    const answer = cedar.preparsePolicySet(name, { staticPolicies: document.Statement.map(inCedar).join('\n') });
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors[0]));
    const call = {
        principal: { type: 'User', id: 'ann' }, action: { type: 'Action', id: 'execute-api:Invoke' }, resource: { type: 'Api', id: api },
        context: { action: 'execute-api:Invoke', resource: `arn:aws:execute-api:us-east-1:000000000000:${api}/dev/GET/pets/7`, tls: true, team: 'pets', region: 'us-east-1', ip: { __extn: { fn: 'ip', arg: '10.1.2.3' } } },
        preparsedPolicySetId: name, entities: [],
    };
    const times = quick ? 20 : 300;
    let best = Infinity;
    for (let round = 0; round < 7; round++) {
        const begun = process.cpuUsage();
        for (let i = 0; i < times; i++) if (cedar.statefulIsAuthorized(call).response?.decision !== 'allow') throw new Error('Cedar decides otherwise');
        const { user, system } = process.cpuUsage(begun);
        best = Math.min(best, (user + system) / times);
    }
    return best;
}

function readingUs(cedar, document, quick) {
    const text = document.Statement.map(inCedar).join('\n');
    const times = quick ? 5 : 50, begun = process.cpuUsage();
    for (let i = 0; i < times; i++) cedar.preparsePolicySet('read', { staticPolicies: text });
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / times;
}

async function peer() {
    const at = path.join(here, 'peers');
    if (!fs.existsSync(path.join(at, 'node_modules/@cedar-policy'))) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: at, stdio: 'ignore' });
    return import(path.join(at, 'node_modules/@cedar-policy/cedar-wasm/nodejs/cedar_wasm.js'));
}

export const policyRows = (row, { quick, folder }) => ({
    async policy() {
        const files = Object.entries({ few, many, sixKiB }).map(([name, document]) => {
            fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(document));
            return path.join(folder, `${name}.json`);
        });
        const ours = JSON.parse(execFileSync(program(), files));
        const cedar = await peer().catch((error) => console.error(`Cedar is not here: ${error.message.split('\n')[0]}`));
        const show = (ns, theirs, what, limit) => {
            const us = ns / 1000;
            row(what, `${us.toFixed(2)} µs`, theirs ? `Cedar ${theirs.toFixed(1)} µs` : '', theirs ? `${(us / theirs).toPrecision(2)}×` : '', `< ${limit} µs`, us < limit);
        };
        // What of Cedar's time is the call from JavaScript, with the request as JSON.
        const call = cedar && cedarUs(cedar, 'one', { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }, 'api1', quick).toFixed(1);
        show(ours.few, cedar && cedarUs(cedar, 'few', few, 'api19', quick), `a decision over 20 typical statements${call ? ` (Cedar over one: ${call} µs)` : ''}`, 2);
        show(ours.many, cedar && cedarUs(cedar, 'many', many, 'api500', quick), 'a decision over 1,000 statements, of which 5 can match', 4);
        show(ours.compile, cedar && readingUs(cedar, sixKiB, quick), 'a document of 6 KiB, read, checked and indexed', 100);
    },
});
