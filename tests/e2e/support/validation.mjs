// Every operation of a service's model, machine-made from it: each member missing, too long, too short, out of range, of
// another form or type; what the model does not know. The expected sentences are made here, from the model alone.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import YAML from 'yaml';
import { root, start } from './harness.mjs';

// Makes the tests. service: its id; target: of X-Amz-Target; count: its operations; least: cases there must be; error: what the
// service says of a member that does not fit; describe, list, id: an operation that names something by `id`, one that lists.
export function validates({ service, target, count, least, error, describe, list, id }) {
    const model = YAML.parse(fs.readFileSync(path.join(root, `openapi/${service}.yaml`), 'utf8'));
    const schemas = model.components.schemas;
    const named = (ref) => ref?.$ref?.split('/').at(-1);
    const resolve = (schema) => (schema.$ref ? schemas[named(schema)] : schema);
    const lower = (name) => name[0].toLowerCase() + name.slice(1);

    const operations = Object.values(model.paths).flatMap((p) => Object.values(p)).map((operation) => ({
        name: operation.operationId,
        input: operation.requestBody ? resolve(Object.values(operation.requestBody.content)[0].schema) : { type: 'object', properties: {} },
    }));

    // ---- what Java's patterns match ----
    const compiled = new Map();
    function matches(pattern, text) {
        if (!compiled.has(pattern)) {
            let regex;
            const plain = pattern.replace('(?s)', '');
            try {
                regex = new RegExp(`^(?:${plain})$`, 'us');
            } catch {
                regex = new RegExp(`^(?:${plain})$`, 's');
            }
            compiled.set(pattern, regex);
        }
        return compiled.get(pattern).test(text);
    }

    // ---- a value that fits ----
    const known = {
        IdentityPoolId: 'us-east-1:7a7a7a7a-7a7a-4a7a-8a7a-7a7a7a7a7a7a', IdentityId: 'us-east-1:7a7a7a7a-7a7a-4a7a-8a7a-7a7a7a7a7a7a',
        UserPoolIdType: 'us-east-1_Abc123456', PasswordType: 'Engine-1843!', UserImportJobIdType: 'import-0123456789',
        ArnType: 'arn:aws:iam::000000000000:role/x', S3ArnType: 'arn:aws:s3:::bucket', RegionNameType: 'eu-west-1',
        DeviceKeyType: 'us-east-1_7a7a7a7a-7a7a-4a7a-8a7a-7a7a7a7a7a7a', SessionIdType: `tkn${'a'.repeat(25)}`,
    };
    const samples = ['aaaaaaaa', 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa', '123456', '{####}', '{username}{####}', 'https://a.example', 'a@b.example',
        'cognito:default', 'terms-of-use', '7a7a7a7a-7a7a-4a7a-8a7a-7a7a7a7a7a7a', 'Level1', 'us-east-1_Abc123456', 'arn:aws:iam::000000000000:role/x', 'aws.cognito.signin.user.admin',
        'tkn' + 'a'.repeat(25), 'urn:a', 'Z2', '000000000000', 'authenticated'];
    function textFor(schema, name) {
        if (known[name]) return known[name];
        if (schema.enum) return schema.enum[0];
        const fit = samples.find((s) => s.length >= (schema.minLength ?? 0) && s.length <= (schema.maxLength ?? Infinity) && (!schema.pattern || matches(schema.pattern, s)));
        if (fit !== undefined) return fit;
        const long = 'a'.repeat(schema.minLength ?? 1);
        if (!schema.pattern || matches(schema.pattern, long)) return long;
        const code = `a{####}${'a'.repeat(schema.minLength ?? 1)}`;
        if (matches(schema.pattern, code)) return code;
        throw new Error(`no sample fits ${name}: ${schema.pattern}`);
    }
    function sample(ref) {
        const schema = resolve(ref), name = named(ref);
        switch (schema.type) {
            case 'string': return schema.format === 'byte' ? Buffer.alloc(schema.minLength ?? 1, 1).toString('base64') : textFor(schema, name);
            case 'integer': return Math.max(schema.minimum ?? 1, Math.min(1, schema.maximum ?? 1));
            case 'number': return 1;
            case 'boolean': return true;
            case 'array': return Array.from({ length: schema.minItems ?? 1 }, () => sample(schema.items));
            case 'object':
                if (schema.additionalProperties) return { [sample(schema.propertyNames)]: sample(schema.additionalProperties) };
                return Object.fromEntries((schema.required ?? []).map((m) => [m, sample(schema.properties[m])]));
            default: return {}; // a document
        }
    }

    // ---- what is said of a value that does not fit ----
    const LONGEST_SHOWN = 8192;
    function shown(ref, value) {
        const schema = resolve(ref);
        if (schema['x-sensitive']) return '***';
        if (Array.isArray(value)) return `[${cut(value.map((v) => shown(schema.items, v)))}]`;
        if (schema.additionalProperties) return `{${Object.entries(value).map(([k, v]) => `${k}=${shown(schema.additionalProperties, v)}`).join(', ')}}`;
        if (schema.properties) return `${named(ref)}(${Object.entries(value).map(([k, v]) => `${k}=${shown(schema.properties[k], v)}`).join(', ')})`;
        return schema.format === 'byte' ? '' : String(value).slice(0, LONGEST_SHOWN);
    }
    function cut(items) { // the server stops when it has shown enough
        let text = '';
        for (const [i, item] of items.entries()) {
            if (text.length + 2 >= LONGEST_SHOWN) break;
            text += (i ? ', ' : '') + item;
        }
        return text;
    }
    const LESS = (n, what) => `Member must have ${what} less than or equal to ${n}`, MORE = (n, what) => `Member must have ${what} greater than or equal to ${n}`;
    function sentences(schema, faults) {
        const what = schema.type === 'integer' || schema.type === 'number' ? 'value' : 'length';
        const high = schema.maxLength ?? schema.maximum ?? schema.maxItems ?? schema.maxProperties, low = schema.minLength ?? schema.minimum ?? schema.minItems ?? schema.minProperties;
        return [
            high !== undefined && faults.high && LESS(high, what), low !== undefined && faults.low && MORE(low, what),
            schema.pattern && faults.pattern && `Member must satisfy regular expression pattern: ${schema.pattern}`,
            schema.enum && faults.enum && `Member must satisfy enum value set: [${schema.enum.join(', ')}]`,
        ].filter(Boolean);
    }
    function faultsOf(schema, value) {
        const size = typeof value === 'number' ? value : schema.format === 'byte' ? Buffer.from(value, 'base64').length : typeof value === 'string' ? value.length
            : Array.isArray(value) ? value.length : value && typeof value === 'object' ? Object.keys(value).length : 0;
        const high = schema.maxLength ?? schema.maximum ?? schema.maxItems ?? schema.maxProperties, low = schema.minLength ?? schema.minimum ?? schema.minItems ?? schema.minProperties;
        const text = typeof value === 'string' && schema.format !== 'byte';
        return { high: size > high, low: size < low, pattern: text && schema.pattern && !matches(schema.pattern, value), enum: text && schema.enum && !schema.enum.includes(value) };
    }
    const ALL = { high: true, low: true, pattern: true, enum: true };
    const complaint = (ref, at, value, constraint) =>
        `Value${resolve(ref)['x-sensitive'] ? '' : ` '${shown(ref, value)}'`} at '${at}' failed to satisfy constraint: ${constraint}`;
    function expected(ref, at, value) {
        const schema = resolve(ref);
        const found = sentences(schema, faultsOf(schema, value)).map((constraint) => complaint(ref, at, value, constraint));
        const scalar = (r) => !['object', 'array', undefined].includes(resolve(r).type);
        const bad = (r, v) => Object.values(faultsOf(resolve(r), v)).some(Boolean);
        if (schema.type === 'array' && scalar(schema.items)) {
            if (value.some((v) => bad(schema.items, v)))
                found.push(complaint(resolve(schema.items)['x-sensitive'] ? schema.items : ref, at, value, `Member must satisfy constraint: [${sentences(resolve(schema.items), ALL).join(', ')}]`));
        } else if (schema.type === 'array') {
            value.forEach((v, i) => found.push(...expected(schema.items, `${at}.${i + 1}.member`, v)));
        } else if (schema.additionalProperties) {
            const { propertyNames: keys, additionalProperties: values } = schema;
            if (!scalar(values)) Object.entries(value).forEach(([k, v]) => found.push(...expected(values, `${at}.${k}.member`, v)));
            if (Object.keys(value).some((k) => bad(keys, k))) found.push(complaint(ref, at, value, `Map keys must satisfy constraint: [${sentences(resolve(keys), ALL).join(', ')}]`));
            if (scalar(values) && Object.values(value).some((v) => bad(values, v)))
                found.push(complaint(resolve(values)['x-sensitive'] ? values : ref, at, value, `Map value must satisfy constraint: [${sentences(resolve(values), ALL).join(', ')}]`));
        } else if (schema.properties) {
            found.push(...expectedMembers(schema, at, value));
        }
        return found;
    }
    function expectedMembers(schema, at, value) {
        const place = (name) => (at ? `${at}.` : '') + lower(name);
        return Object.entries(schema.properties ?? {}).flatMap(([name, ref]) => {
            if (value[name] !== undefined) return expected(ref, place(name), value[name]);
            return schema.required?.includes(name) ? [`Value null at '${place(name)}' failed to satisfy constraint: Member must not be null`] : [];
        });
    }

    // ---- values that do not fit ----
    function* misfits(ref, depth = 0) {
        const schema = resolve(ref);
        const fill = (n) => (schema.format === 'byte' ? Buffer.alloc(n, 1).toString('base64') : textOf(schema, n));
        if (schema.maxLength !== undefined) yield ['too long', fill(schema.maxLength + 1)];
        if (schema.minLength > 0) yield ['too short', fill(schema.minLength - 1)];
        if (schema.pattern) yield ['of another form', ['\u0001', ' \u0000', '!?', '_ _', 'x'.repeat(30)].find((s) => !matches(schema.pattern, s)) ?? '\n'];
        if (schema.enum) yield ['not in the set', 'NOTHING_OF_THAT_NAME'];
        if (schema.maximum !== undefined && schema.maximum < 2 ** 31 - 1) yield ['too large', schema.maximum + 1];
        if (schema.minimum !== undefined) yield ['too small', schema.minimum - 1];
        if (schema.type === 'array') {
            if (schema.maxItems !== undefined && schema.maxItems <= (resolve(schema.items).type === 'object' ? 100 : 1000)) yield ['too many', Array.from({ length: schema.maxItems + 1 }, () => sample(schema.items))];
            if (schema.minItems > 0) yield ['too few', []];
            if (depth < 3) for (const [why, value] of misfits(schema.items, depth + 1)) yield [`an item ${why}`, [value]];
        } else if (schema.additionalProperties && depth < 3) {
            for (const [why, key] of misfits(schema.propertyNames, depth + 1)) yield [`a key ${why}`, { [key]: sample(schema.additionalProperties) }];
            for (const [why, value] of misfits(schema.additionalProperties, depth + 1)) yield [`a value ${why}`, { [sample(schema.propertyNames)]: value }];
        } else if (schema.properties && depth < 3) {
            const fit = sample(ref);
            for (const name of schema.required ?? []) {
                const { [name]: gone, ...rest } = fit;
                if (gone !== undefined) yield [`${name} missing`, rest];
            }
            for (const [name, member] of Object.entries(schema.properties))
                for (const [why, value] of misfits(member, depth + 1)) yield [`${name} ${why}`, { ...fit, [name]: value }];
        }
    }
    function textOf(schema, n) {
        const letters = ['a', '1', 'é'].map((c) => c.repeat(n));
        return (schema.pattern && letters.find((s) => matches(schema.pattern, s))) ?? letters[0];
    }
    function mistyped(ref) {
        const schema = resolve(ref);
        switch (schema.type) {
            case 'string': return [5, true, {}, []];
            case 'integer': case 'number': return ['x', true, {}, []];
            case 'boolean': return ['x', 1, {}, []];
            case 'array': return ['x', 5, true, {}];
            case 'object': return ['x', 5, true, []];
            default: return [];
        }
    }

    // ---- the wire: no SDK, since it would not send most of this ----
    let server, agent, built;
    before(async () => {
        server = await start(null);
        agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
        const answer = await (await server.fetch('/_gatehouse/capabilities')).json();
        built = new Set(answer.services[service].built);
    });
    after(async () => {
        agent.destroy();
        await server.discard();
    });
    function call(name, input) {
        return new Promise((ok, fail) => {
            const request = http.request(server.url, {
                method: 'POST', agent,
                headers: {
                    'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.${name}`,
                    'x-amz-date': '20260101T000000Z',
                    authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
                },
            }, (answer) => {
                const pieces = [];
                answer.on('data', (piece) => pieces.push(piece));
                answer.on('error', fail);
                answer.on('end', () => {
                    const text = Buffer.concat(pieces).toString();
                    const body = text ? JSON.parse(text) : {};
                    ok({ status: answer.statusCode, type: body.__type, message: body.message });
                });
            });
            request.on('error', fail);
            request.end(typeof input === 'string' ? input : JSON.stringify(input));
        });
    }
    async function inTurns(rows, check) {
        const wrong = [];
        let next = 0;
        await Promise.all(Array.from({ length: 8 }, async () => {
            while (next < rows.length) {
                const row = rows[next++];
                const problem = await check(row);
                if (problem) wrong.push(problem);
            }
        }));
        assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${rows.length} rows`);
    }
    // UpdateManagedLoginBranding requires nothing by the model, and names by its sense.
    const fitting = (input) => ({ ...sample(input), ...(input.required ? {} : Object.fromEntries(Object.keys(input.properties ?? {}).filter((m) => m.endsWith('Id')).map((m) => [m, sample(input.properties[m])]))) });
    const theirs = () => operations.filter((operation) => built.has(operation.name)).map(({ name, input }) => ({ name, input, fit: fitting(input) }));

    test(`the model has ${count} operations, and for each there is an input that fits`, () => {
        assert.equal(operations.length, count);
        for (const { name, input } of operations) assert.deepEqual(expectedMembers(input, '', fitting(input)), [], name);
    });

    test('a member that is missing, too long, too short, out of range, of another form: AWS\'s sentence', async () => {
        const rows = [];
        for (const { name, input, fit } of theirs()) {
            for (const member of input.required ?? []) {
                const { [member]: gone, ...rest } = fit;
                rows.push({ name, input, why: `${member} missing`, value: rest, gone });
            }
            for (const [member, ref] of Object.entries(input.properties ?? {}))
                for (const [why, value] of misfits(ref)) rows.push({ name, input, why: `${member} ${why}`, value: { ...fit, [member]: value } });
        }
        assert.ok(rows.length > least, `${rows.length} rows`);
        await inTurns(rows, async ({ name, input, why, value }) => {
            const list = expectedMembers(input, '', value);
            assert.ok(list.length > 0, `${name}: ${why}`);
            const message = `${list.length} validation error${list.length === 1 ? '' : 's'} detected: ${list.join('; ')}`;
            const got = await call(name, value);
            if (got.status === 400 && got.type === error && got.message === message) return null;
            return { row: `${name}: ${why}`, wanted: message.slice(0, 400), got: { ...got, message: got.message?.slice(0, 400) } };
        });
    });

    test('a member of another type: SerializationException, before anything else is looked at', async () => {
        const rows = theirs().flatMap(({ name, input, fit }) => Object.entries(input.properties ?? {}).flatMap(([member, ref]) =>
            mistyped(ref).map((value) => ({ name, member, value, sent: { ...fit, [member]: value } }))));
        await inTurns(rows, async ({ name, member, value, sent }) => {
            const got = await call(name, sent);
            if (got.status === 400 && got.type === 'SerializationException' && got.message) return null;
            return { row: `${name}.${member} = ${JSON.stringify(value)}`, got };
        });
    });

    test('members that the model does not know are ignored, null is nothing', async () => {
        await inTurns(theirs(), async ({ name, input, fit }) => {
            const plain = await call(name, fit);
            const nulls = Object.fromEntries(Object.keys(input.properties ?? {}).filter((m) => fit[m] === undefined).map((m) => [m, null]));
            const more = await call(name, { ...fit, ...nulls, Nonsense: { a: [1] }, userPoolId: 5 });
            if (plain.status < 500 && plain.status === more.status && plain.type === more.type && plain.type !== 'SerializationException' &&
                !plain.message?.includes('failed to satisfy constraint')) return null;
            return { name, plain, more };
        });
    });

    test('what is no JSON object is no call; the next one is', async () => {
        const bodies = ['{', '[]', '"x"', '5', 'null', `{"${id}":"a","${id}":"b"}`, `{"${id}":"\\ud800"}`, '\u0000', `${'['.repeat(600)}`, `{"${id}":"${'x'.repeat(100000)}"}`];
        for (const body of bodies) {
            const got = await call(describe, body);
            assert.equal(got.status, 400, body.slice(0, 40));
            assert.ok(['SerializationException', error].includes(got.type), `${body.slice(0, 40)}: ${got.type}`);
        }
        assert.equal((await call(list, { MaxResults: 1 })).status, 200);
        assert.equal((await call('NoSuchOperation', {})).type, 'UnknownOperationException');
    });
}
