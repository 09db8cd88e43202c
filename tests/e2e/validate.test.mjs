// Models and request validators: what reaches the integration, and what the client is told otherwise.
import assert from 'node:assert/strict';
import test from 'node:test';

import { api, control } from './support/apis.mjs';
import { request, start } from './support/harness.mjs';

const petSchema = {
    type: 'object', required: ['name', 'price'],
    properties: { name: { type: 'string', pattern: '^[A-Za-z ]+$' }, price: { type: 'number', minimum: 0 }, tag: { enum: ['cat', 'dog'] } },
};

// Deploys POST /pets with the validator's two flags and these models; answers (body, headers, query) => answer.
async function guarded(t, { body = true, parameters = false, models = { Pet: petSchema }, requestModels = { 'application/json': 'Pet' }, requestParameters, responses } = {}) {
    const server = await start(t);
    const one = await api(server, {});
    const gateway = one.gateway, restApiId = one.id;
    for (const [name, schema] of Object.entries(models))
        await gateway.createModel({ restApiId, name, contentType: 'application/json', schema: typeof schema === 'function' ? JSON.stringify(schema(restApiId)) : JSON.stringify(schema) });
    const validator = await gateway.createRequestValidator({ restApiId, name: 'v', validateRequestBody: body, validateRequestParameters: parameters });
    for (const [responseType, template] of Object.entries(responses ?? {}))
        await gateway.putGatewayResponse({ restApiId, responseType, responseTemplates: { 'application/json': template } });
    await one.add('POST /pets', {
        method: { requestValidatorId: validator.id, requestModels, requestParameters },
        integration: { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' }, passthroughBehavior: 'WHEN_NO_MATCH' },
        answers: { 200: { responseTemplates: { 'application/json': 'served' } } },
    });
    await one.deploy();
    return {
        server, one,
        post: (text, headers = { 'content-type': 'application/json' }, query = '') =>
            request(`${one.url}/pets${query}`, { method: 'POST', body: typeof text === 'string' || text === undefined ? text : JSON.stringify(text), headers }),
    };
}

test('a body that does not fit its model is 400, with AWS\'s words in $context.error.validationErrorString', async (t) => {
    const { post } = await guarded(t, { responses: { BAD_REQUEST_BODY: '{"message": $context.error.messageString, "error": "$context.error.validationErrorString"}' } });
    const good = await post({ name: 'Rex', price: 3 });
    assert.deepEqual([good.status, good.text], [200, 'served']);
    for (const [body, error] of [
        [{ name: 'Rex' }, '[object has missing required properties (["price"])]'],
        [{}, '[object has missing required properties (["name","price"])]'],
        [undefined, '[object has missing required properties (["name","price"])]'],
        [{ name: 'Rex', price: '3' }, '[instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])]'],
        [{ name: 'R2', price: 3 }, '[ECMA 262 regex "^[A-Za-z ]+$" does not match input string "R2"]'],
        [{ name: 'Rex', price: 1, tag: 'cow' }, '[instance value ("cow") not found in enum (possible values: ["cat","dog"])]'],
        ['{"name": "Rex", "price": 1e-400}', null],
        ['not json', '[the body is no JSON]'],
        ['{"name":"a","name":"Rex","price":1}', '[the body is no JSON]'],
        ['{"name":"Rex","price":NaN}', '[the body is no JSON]'],
        ['\ufeff{"name":"Rex","price":1}', '[the body is no JSON]'],
        [`${'['.repeat(100000)}`, '[the body is no JSON]'],
    ]) {
        const answer = await post(body);
        if (error === null) {
            assert.equal(answer.status, 200, body);
            continue;
        }
        assert.equal(answer.status, 400, JSON.stringify(body)?.slice(0, 80));
        assert.deepEqual(answer.json(), { message: 'Invalid request body', error });
        assert.equal(answer.headers['x-amzn-errortype'], 'BadRequestException');
    }
});

test('the default answer tells nothing but "Invalid request body"; other content types are not looked at, $default takes all', async (t) => {
    const { post } = await guarded(t);
    const bad = await post('{}');
    assert.deepEqual([bad.status, bad.json()], [400, { message: 'Invalid request body' }]);
    assert.equal((await post('{}', { 'content-type': 'APPLICATION/JSON; charset=utf-8' })).status, 400);
    assert.equal((await post('{}', {})).status, 400, 'no content type is application/json');
    const other = await post('<x/>', { 'content-type': 'application/xml' });
    assert.notEqual(other.status, 400, 'no model for it: not validated');

    const all = await guarded(t, { requestModels: { $default: 'Pet' } });
    assert.equal((await all.post('<x/>', { 'content-type': 'application/xml' })).status, 400);
});

test('each half of a validator alone, and both', async (t) => {
    const requestParameters = { 'method.request.querystring.q': true, 'method.request.header.x-h': true, 'method.request.querystring.maybe': false };
    for (const [body, parameters, noParams, noBody] of [[true, false, 200, 400], [false, true, 400, 200], [true, true, 400, 400], [false, false, 200, 200]]) {
        const { post } = await guarded(t, { body, parameters, requestParameters });
        const json = { 'content-type': 'application/json' };
        assert.equal((await post({ name: 'a', price: 1 }, { ...json, 'x-h': '1' }, '?q=1')).status, 200);
        const missing = await post({ name: 'a', price: 1 }, json);
        assert.equal(missing.status, noParams);
        if (noParams === 400) assert.match(missing.json().message, /^Missing required request parameters: \[(q, x-h|x-h, q)\]$/);
        assert.equal((await post({}, { ...json, 'x-h': '1' }, '?q=1')).status, noBody);
    }
});

test('models refer to models; GetModel flattens them, GetModelTemplate writes a sample', async (t) => {
    const { post, one } = await guarded(t, {
        models: {
            Owner: { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } },
            Pet: (id) => ({ type: 'object', properties: { owner: { $ref: `https://apigateway.amazonaws.com/restapis/${id}/models/Owner` }, tags: { type: 'array', items: { type: 'string' } } } }),
        },
    });
    assert.equal((await post({ owner: { id: 1 } })).status, 200);
    assert.equal((await post({ owner: {} })).status, 400);
    assert.equal((await post({ owner: { id: 1.5 } })).status, 400);

    const { gateway, id: restApiId } = one;
    const flat = JSON.parse((await gateway.getModel({ restApiId, modelName: 'Pet', flatten: true })).schema);
    assert.deepEqual(flat.properties.owner, { $ref: '#/definitions/Owner' });
    assert.deepEqual(flat.definitions.Owner.required, ['id']);
    assert.match(JSON.parse((await gateway.getModel({ restApiId, modelName: 'Pet' })).schema).properties.owner.$ref, /models\/Owner$/);
    const { value } = await gateway.getModelTemplate({ restApiId, modelName: 'Pet' });
    assert.equal(value, `#set($inputRoot = $input.path('$'))
{
  "owner" : {
    "id" : $inputRoot.owner.id
  },
  "tags" : [
#foreach($elem1 in $inputRoot.tags)
    "$elem1"#if($foreach.hasNext),#end

#end
  ]
}`);
});

test('what is no model is refused when it is written, what cannot be enforced when it is deployed', async (t) => {
    const server = await start(t);
    const one = await api(server, {});
    const { gateway, id: restApiId } = one;
    const said = (schema, contentType = 'application/json') =>
        gateway.createModel({ restApiId, name: 'M', contentType, schema: typeof schema === 'string' ? schema : JSON.stringify(schema) }).then(() => 'taken', (e) => e.message);
    const errors = (text) => `Invalid model specified: Validation Result: warnings : [], errors : [${text}]`;
    for (const schema of ['no json', '[]', { type: 'text' }, { required: [] }, { enum: ['A', 'A'] }, { pattern: '(' }, { $ref: '#' }, { $ref: '#/definitions/none' }])
        assert.equal(await said(schema), errors('Invalid model schema specified'), JSON.stringify(schema));
    assert.equal(await said({ properties: { a: { type: 'string', example: 'x' } } }), errors('Invalid model schema specified. Unsupported keyword(s): ["example"]'));
    for (const $ref of ['http://169.254.169.254/latest', 'file:///etc/passwd', 'Pet', 'https://apigateway.amazonaws.com/restapis/other/models/Pet'])
        assert.equal(await said({ $ref }), errors('Model reference must be in canonical form'), $ref);
    assert.equal(await said({ $ref: `https://apigateway.amazonaws.com/restapis/${restApiId}/models/None` }), errors('Invalid model specified: None'));
    assert.equal(await said('anything', 'application/xml'), 'taken');

    const validator = await gateway.createRequestValidator({ restApiId, name: 'v', validateRequestBody: true });
    await one.add('POST /x', { method: { requestValidatorId: validator.id, requestModels: { 'application/xml': 'M' } } });
    await assert.rejects(one.deploy(), /POST \/x: model 'M': only JSON is validated, this is application\/xml/);
});

test('schemas and bodies made to cost get an answer after bounded work', async (t) => {
    const { post } = await guarded(t, {
        models: { Pet: { type: 'object', properties: { a: { pattern: '^(a+)+$' }, u: { uniqueItems: true }, n: { $ref: '#' } } } },
        responses: { BAD_REQUEST_BODY: '{"error": "$context.error.validationErrorString"}' },
    });
    const slow = await post({ a: `${'a'.repeat(5000)}b` });
    assert.deepEqual([slow.status, slow.json().error], [400, '[validating this instance takes more work than is allowed]']);
    assert.equal((await post({ u: Array.from({ length: 100000 }, (_, i) => i) })).status, 200);
    const deep = `${'{"n":'.repeat(900)}{}${'}'.repeat(900)}`;
    assert.equal((await post(deep)).status, 200);
    assert.equal((await post({})).status, 200, 'the next request is served');
});
