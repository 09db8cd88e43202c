// Plays one recorded test against a running Gatehouse in an account of its own.
// → { verdict: 'pass' | 'fail' | 'cannot', why: [lines] }
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { vectors } from '../support/harness.mjs';
import { Caller, canPlay } from './client.mjs';
import { Comparison } from './compare.mjs';
import { CannotPlay, fixtures, named } from './fixtures.mjs';
import { follow, resolve } from './references.mjs';
import { destroyAll } from './stack.mjs';

const folder = path.join(vectors, 'aws-recorded', 'replay');

// The tests of a file: { name: test }; files that stand on services which Gatehouse does not have are left out
// (of CloudFormation only what IAM's recordings ask of it is played: stack.mjs).
export const files = () => fs.readdirSync(folder).filter((file) => /^(iam__|sts|apigateway|lambda)/.test(file)).sort();
// The recorded names ended in eight characters, the call lists' "uid0001" has seven: one more, since
// AWS's answer may hang on a length (a policy "ARN" of 19 characters is too short, one of 20 is none).
export function testsOf(file) {
    return JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8').replace(/uid(?=\d{4})/g, 'uid0'));
}

let accounts = 100000000000 + Math.floor(Math.random() * 1e9) * 100;

// Whether two packages of a test were the same bytes the recording does not say: either may be true.
export async function play(url, test, options = {}) {
    const same = await playOnce(url, test, options);
    if (same.verdict !== 'fail' || !/create_lambda_archive|create_zip_file|binary:/.test(JSON.stringify(test.steps))) return same;
    const different = await playOnce(url, test, { ...options, differentPackages: true });
    return different.verdict === 'pass' ? different : same;
}

async function playOnce(url, test, { trace, differentPackages } = {}) {
    const player = new Player(url, String(++accounts), trace);
    player.differentPackages = differentPackages;
    try {
        for (const step of test.steps) await player.step(step);
        for (const match of test.other_matches ?? []) await player.otherMatch(match);
    } catch (error) {
        if (error instanceof CannotPlay) return { verdict: 'cannot', why: [error.message] };
        player.why.push(player.trace ? error.stack : error.message);
    } finally {
        for (const close of player.closing) close();
    }
    return { verdict: player.why.length ? 'fail' : 'pass', why: player.why };
}

// The recorders split a trial's log into lines, took the dates out, and read the body as JSON.
function asRecorded(answer) {
    const lines = answer.log.split('\n').map((line) => line.replace(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4} /, 'DDD MMM dd hh:mm:ss UTC yyyy ')
        .replace(/latency: \d+ ms/, 'latency: <latency> ms'));
    const log = Object.fromEntries(lines.map((line, i) => [`line${String(i).padStart(2, '0')}`, line]));
    let body = answer.body;
    try { body = JSON.parse(body); } catch { /* no JSON: as it is */ }
    return { ...answer, log, body };
}

class Player {
    constructor(url, account, trace) {
        Object.assign(this, { url, account, trace, why: [], closing: [] });
        this.caller = new Caller(url, account);
        this.answers = new Map();
        this.wentWell = new Set();
        this.comparison = new Comparison(account);
    }

    lookUp = async (text) => {
        const [, call, rest] = text.match(/^(\d+)(.*)$/s) ?? [];
        if (!call) return named(this, text);
        if (!this.answers.has(Number(call))) throw new Error(`{{${text}}}: that call had no answer`);
        return follow(this.answers.get(Number(call)), rest);
    };

    // Python's True as the key of a map was written down as "True"; boto3 sent "true".
    ours = (value) => JSON.parse(JSON.stringify(value).replaceAll('111111111111', this.account).replaceAll('"True":', '"true":'));

    async step(step) {
        const { client, ...given } = step.params ?? {}; // which of their boto3 clients a helper used
        const params = await resolve(this.ours(given), this.lookUp);
        const where = `call ${step.call} ${step.service} ${step.op}`;
        const wanted = JSON.stringify([step.service, step.op, params]);
        if (step.expect_error && this.stacks?.size && this.wentWell.has(wanted)) await destroyAll(this);
        const result = await this.carryOut(step, params);
        if (result.answer) this.wentWell.add(wanted);
        this.trace?.(where, params, result);
        if (result.broken) throw new Error(`${where}: ${result.broken}`);
        const answer = result.answer ?? result.error;
        this.answers.set(step.call, answer);
        if (step.expect_error && result.answer && step.service !== 'http')
            this.why.push(`${where}: should be refused, came ${JSON.stringify(result.answer).slice(0, 300)}`);
        if (!step.expect_error && result.error && !step.expected?.Error) {
            const { Code, Message } = result.error.Error;
            // What a test asserts without recording still has to work for the next call.
            throw new Error(`${where}: refused: ${result.error.ResponseMetadata.HTTPStatusCode} ${Code}: ${Message}`);
        }
        const shown = step.op === 'test_invoke_method' && result.answer ? asRecorded(answer) : answer;
        if (step.snapshot_key && step.expected !== undefined) this.check(`${where} (${step.snapshot_key})`, step.expected, shown);
        for (const part of step.expected_parts ?? []) {
            this.check(`${where} (${part.snapshot_key})`, part.expected, follow(answer, part.of));
        }
        if (/^(create_function|update_function_c|publish_version)/.test(step.op) && result.answer && params.FunctionName)
            await this.settled(params.FunctionName);
    }

    // A session made by a fixture makes the later sts calls, but never assumes its own role again.
    actsAs(service, params) {
        return service === 'sts' && params.RoleArn !== this.session?.role ? this.session?.keys : undefined;
    }

    async carryOut({ service, op, args }, params) {
        if (service === 'fixture') {
            if (!fixtures[op]) throw new CannotPlay(`helper ${op}`);
            return fixtures[op](this, params, await resolve(this.ours(args ?? []), this.lookUp));
        }
        if (service === 'http') return { answer: await this.http(op, params) };
        if (!canPlay(service)) throw new CannotPlay(`service ${service}`);
        if (service === 'lambda_' && op === 'create_function' && params.FunctionName)
            this.lastFunctionArn = `arn:aws:lambda:us-east-1:${this.account}:function:${params.FunctionName}`;
        // What the recorders' helper put in when a test gave none; boto3 would not have sent the call.
        if (op === 'create_rest_api' && params.name === undefined) params.name = 'apigw-default';
        return this.caller.call(service, op, params, { credentials: this.actsAs(service, params) });
    }

    // Waits as the recorded tests did with boto3's waiters: until a function is neither pending nor being updated.
    async settled(name) {
        for (let tries = 0; tries < 200; tries++) {
            const { answer } = await this.caller.call('lambda_', 'get_function_configuration', { FunctionName: name });
            if (!answer || (answer.State !== 'Pending' && answer.LastUpdateStatus !== 'InProgress')) return;
            await new Promise((done) => setTimeout(done, 10));
        }
    }

    check(where, expected, actual) {
        for (const difference of this.comparison.differences(expected, actual)) this.why.push(`${where} ${difference}`);
    }

    // Values that the recorded test built of several answers.
    async otherMatch({ key, value, expected }) {
        if (expected === null) return;
        let built = await resolve(this.ours(value), this.lookUp);
        if (expected?.Errors && built.Message !== undefined) built = splitErrors(built);
        this.check(`built "${key}"`, expected, built);
    }

    // A request to the data plane (or a function URL): their host name, our address.
    async http(method, { url, json, data, headers = {}, params }) {
        const target = new URL(url);
        for (const [name, value] of Object.entries(params ?? {})) [].concat(value).forEach((one) => target.searchParams.append(name, one));
        const ours = target.hostname === '127.0.0.1' ? target.origin : this.url;
        const body = json !== undefined ? JSON.stringify(json) : typeof data === 'object' && data ? new URLSearchParams(data).toString() : data;
        const sent = { 'User-Agent': 'python-requests/testing', 'Accept-Encoding': 'gzip, deflate', Accept: '*/*' };
        if (json !== undefined) sent['Content-Type'] = 'application/json';
        else if (typeof data === 'object' && data) sent['Content-Type'] = 'application/x-www-form-urlencoded';
        for (const [name, value] of Object.entries(headers)) if (value !== null) sent[name] = String(value);
        if (body !== undefined) sent['Content-Length'] = Buffer.byteLength(body);
        return new Promise((done, reject) => {
            const path = url.replace(/^[a-z]+:\/\/[^/]*/, '').replace(/#.*/, '') || '/';
            const request = http.request(ours + (params ? target.pathname + target.search : path), { method, headers: { Host: target.host, ...sent } }, (res) => {
                const pieces = [];
                res.on('data', (piece) => pieces.push(piece));
                res.on('error', reject);
                res.on('end', () => {
                    const content = Buffer.concat(pieces).toString();
                    done({ status_code: res.statusCode, headers: res.headers, content: `b'${content}'` /* as Python prints bytes */, text: content, json: () => (content === '' ? '' : JSON.parse(content)) });
                });
            });
            request.setTimeout(30000, () => request.destroy(new Error('no answer within 30 s')));
            request.on('error', reject);
            request.end(body);
        });
    }
}

// "2 validation errors detected: A; B" as the recorded tests took it apart.
function splitErrors({ Code, Message }) {
    const [, count, list] = Message.match(/^(\d+) validation errors? detected: (.*)$/s) ?? [];
    return count ? { Code, Count: Number(count), Errors: list.split('; ') } : { Code, Count: 1, Errors: [Message] };
}
