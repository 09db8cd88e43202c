// What a kilobyte of JSON costs: through mapping templates, and against a model.
import fs from 'node:fs';
import path from 'node:path';
import { api, control } from '../tests/e2e/support/apis.mjs';
import { compare } from './measure.mjs';

const order = {
    id: 'o-1843', customer: { name: 'Ada Lovelace', email: 'ada@example.com', address: { street: '12 St James Square', city: 'London', zip: 'SW1Y 4JH', country: 'GB' } },
    items: Array.from({ length: 6 }, (_, i) => ({ sku: `sku-${1000 + i}`, title: `Difference engine part ${i}`, quantity: i + 1, price: 19.5 + i, tags: ['brass', 'gear'] })),
    note: 'Leave it with the neighbour.', express: true,
};
export const body = JSON.stringify(order).padEnd(1024);

const requestTemplate = `#set($in = $input.path('$'))
{
  "order": "$in.id",
  "for": "$util.escapeJavaScript($in.customer.name)",
  "to": $input.json('$.customer.address'),
  "from": "$context.identity.sourceIp",
  "lines": [#foreach($item in $in.items)
    {"sku": "$item.sku", "n": $item.quantity, "total": $item.price}#if($foreach.hasNext),#end
  #end]
}`;
const responseTemplate = `#set($out = $input.path('$'))
{"order": "$out.id", "city": "$out.customer.address.city", "items": $out.items.size(), "first": $input.json('$.items[0]'), "requestId": "$context.requestId"}`;

const schema = {
    $schema: 'http://json-schema.org/draft-04/schema#', type: 'object', required: ['id', 'customer', 'items'],
    properties: {
        id: { type: 'string', pattern: '^o-[0-9]+$' },
        customer: {
            type: 'object', required: ['name', 'email'],
            properties: { name: { type: 'string', minLength: 1 }, email: { type: 'string', pattern: '^[^@]+@[^@]+$' }, address: { type: 'object', properties: { country: { enum: ['GB', 'FR', 'DE'] } } } },
        },
        items: { type: 'array', minItems: 1, items: { type: 'object', required: ['sku', 'quantity'], properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 }, price: { type: 'number' }, tags: { type: 'array', uniqueItems: true } } } },
        express: { type: 'boolean' },
    },
};

async function scene(server, backend) {
    const http = (more) => ({ integration: { type: 'HTTP', integrationHttpMethod: 'GET', uri: `${backend}/order`, ...more } });
    const one = await api(server, {});
    await control(server).createModel({ restApiId: one.id, name: 'Order', contentType: 'application/json', schema: JSON.stringify(schema) });
    const { id: requestValidatorId } = await control(server).createRequestValidator({ restApiId: one.id, name: 'body', validateRequestBody: true });
    await one.add('POST /plain', http());
    await one.add('POST /checked', { ...http(), method: { requestValidatorId, requestModels: { 'application/json': 'Order' } } });
    await one.add('POST /mapped', { ...http({ requestTemplates: { 'application/json': requestTemplate } }), answers: { 200: { responseTemplates: { 'application/json': responseTemplate } } } });
    await one.deploy();
    return one.url;
}

export const payloadRows = ({ server, backend, folder, pace, row }) => {
    const on = async (name, what, goal) => {
        const url = await scene(server(), backend);
        const script = path.join(folder, `${name}.lua`);
        fs.writeFileSync(script, `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = ${JSON.stringify(body)}\n`);
        const pid = server().pid;
        const [plain, more] = await compare([{ url: `${url}/plain`, pid, script }, { url: `${url}/${name}`, pid, script }], pace);
        const extra = more.cpuUsPerRequest - plain.cpuUsPerRequest;
        row(what, `${Math.round(more.perSecond)}/s, +${extra.toFixed(1)} µs`, '', '', `≤ ${goal} µs`, extra <= goal);
    };
    return {
        templates: () => on('mapped', '1 KiB of JSON through a request and a response template, on top of HTTP without', 15),
        models: () => on('checked', '1 KiB of JSON validated against a model, on top of HTTP without', 5),
    };
};
