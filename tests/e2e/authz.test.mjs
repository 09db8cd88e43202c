// The table of actions, resources and condition keys (openapi/*.yaml, from tools/authz.yaml) against AWS's
// service authorization reference: every operation, every row.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { vectors } from './support/harness.mjs';
import { allOperations } from './support/operations.mjs';

const folder = path.join(vectors, 'iam-policy', 'service-authorization');
const read = (kind, name) => JSON.parse(fs.readFileSync(path.join(folder, kind, `${name}.json`), 'utf8'));
const reference = (vendor) => ({ actions: read('actions', vendor), types: read('resourceTypes', vendor), keys: read('conditionKeys', vendor) });
const known = Object.fromEntries(['cognito-idp', 'cognito-identity', 'iam', 'sts', 'apigateway', 'execute-api', 'lambda'].map((name) => [name, reference(name)]));

const all = allOperations().filter(({ service }) => service !== 'kms'); // of which the reference has no file

// A pattern of ours, with names for members: 'arn:aws:lambda:R:1:function:FunctionName'.
const example = (arn) => arn.split('|')[0].replace(/\[[^\]]*\]/g, '').replace(/\{p\}/g, 'aws').replace(/\{r\}/g, 'R').replace(/\{a\}/g, '1')
    .replace(/\{TargetPrincipal\}/g, '1').replace(/\{Path\}/g, '/').replace(/\{%?([\w-]+)\}/g, '$1').replace(/\*$/, 'any');
// AWS's forms of a resource type as expressions; a type may have several.
const forms = (type) => type.arn.split(', ').map((form) => new RegExp(`^${form.replace(/\$\{Partition\}/, 'aws').replace(/\$\{Region\}/, 'R').replace(/\$\{Account\}/, '1')
    .split(/\$\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.+')}$`));
const typesOf = ({ types }, action) => action.resourceTypes.map(({ name }) => types[name.toLowerCase()]);
const fits = (vendor, action, arn) => typesOf(vendor, action).some((type) => forms(type).some((form) => form.test(arn)));

// What the reference does not (yet) know, or knows otherwise. Each with its reason.
const newer = 'newer than the reference; named as the model has it';
const unknownActions = {
    'cognito-idp:AdminDeleteSoftwareToken': newer, 'cognito-idp:AdminListUserSessions': newer, 'cognito-idp:AdminRevokeUserSession': newer,
    'cognito-idp:DescribeTermsByClient': newer, 'cognito-idp:GetUserPoolClientSessionConfiguration': newer,
    'cognito-idp:GetUserPoolSessionConfiguration': newer, 'cognito-idp:SetUserPoolClientSessionConfiguration': newer,
    'cognito-idp:SetUserPoolSessionConfiguration': newer, 'iam:AcquireRole': newer, 'iam:UpdateDelegationRequest': newer,
    'lambda:DeleteDurableExecution': newer, 'lambda:PauseDurableExecution': newer, 'lambda:ResumeDurableExecution': newer,
};
// Verbs of API Gateway are listed with the resource types of v1, and not all of these.
const unlisted = {
    'GetSdkTypes': 'a list of constants', 'GetSdkType': 'a list of constants',
    'TestInvokeAuthorizer': 'POST on an authorizer: the path is the documented form', 'TestInvokeMethod': 'POST on a method: likewise',
    'CreateResource': 'POST on the parent resource: likewise',
};
const anyVerb = new Set(Object.entries(known.apigateway.types).flatMap(([, type]) => forms(type)));
const verbs = /^apigateway:(GET|POST|PUT|PATCH|DELETE)$/;
const callbacks = 'the execution is inside the callback id, which only the service can read';
const anything = {
    SendDurableExecutionCallbackFailure: callbacks, SendDurableExecutionCallbackHeartbeat: callbacks, SendDurableExecutionCallbackSuccess: callbacks,
};
const keyExceptions = {
    'apigateway:Request/RoutingMode': 'listed for the service, of no resource type',
};

test('every operation names an action that exists, on a resource that the action has', () => {
    assert.ok(all.length >= 676, `${all.length} operations`);
    const wrong = [], used = new Set();
    for (const { service, name, action, arn, unsigned } of all) {
        const [vendor, word] = action.split(':');
        const found = known[vendor].actions[word.toLowerCase()];
        const label = `${service}.${name}: ${action} on ${arn}`;
        if (unsigned) continue; // IAM is not asked
        if (!found) {
            if (unknownActions[action]) used.add(action);
            else wrong.push(`${label}: no such action`);
            continue;
        }
        if (unknownActions[action]) wrong.push(`${label}: is known by now`);
        const types = found.resourceTypes;
        const needed = types.some((type) => type.required);
        const plain = arn.split('|')[0];
        if (plain === '*') {
            if (needed && !anything[name]) wrong.push(`${label}: needs a resource`);
        } else if (/^\{\w+\}$/.test(plain)) {
            if (!types.length) wrong.push(`${label}: takes no resource`); // a whole ARN, checked by its service
        } else if (verbs.test(action)) {
            if (![...anyVerb].some((form) => form.test(example(plain)))) {
                if (unlisted[name]) used.add(name);
                else wrong.push(`${label}: no such resource type`);
            }
        } else if (!fits(known[vendor], found, example(plain)) && !(vendor === 'execute-api' && service === 'apigatewaymanagementapi')) {
            wrong.push(`${label}: the action has ${typesOf(known[vendor], found).map((type) => type.arn)}`);
        }
    }
    assert.deepEqual(wrong, []);
    for (const action of Object.keys(unknownActions)) assert.ok(used.has(action), `${action} needs no exception`);
});

test('several required resources are all asked', () => {
    const alternatives = { 'iam:GenerateServiceLastAccessedDetails': 'one of four kinds of entity', 'iam:ListPoliciesGrantingServiceAccess': 'one of three' };
    for (const { name, action, also = [], unsigned } of all) {
        const [vendor, word] = action.split(':');
        const required = (known[vendor].actions[word.toLowerCase()]?.resourceTypes ?? []).filter((type) => type.required);
        if (unsigned || required.length < 2 || alternatives[action] || verbs.test(action)) continue;
        assert.equal(also.filter((row) => row.startsWith(`${action}|`)).length, required.length - 1, `${name} asks for ${required.map((type) => type.name)}`);
    }
});

test('what is asked besides exists, too', () => {
    for (const { name, also = [] } of all)
        for (const row of also) {
            const [action, , resource, service] = row.split('|');
            const [vendor, word] = action.split(':');
            const found = known[vendor].actions[word.toLowerCase()];
            assert.ok(found, `${name}: ${action}`);
            assert.equal(action === 'iam:PassRole', service !== undefined, `${name}: ${row}`);
            if (resource !== '@') assert.ok(fits(known[vendor], found, example(resource.replace('[+{domainNameId}]', '+id'))), `${name}: ${row}`);
        }
});

test('every condition key is one of the action, or of its resource', () => {
    const wrong = [];
    for (const { name, action, keys = [] } of all)
        for (const row of keys) {
            const [key] = row.split('|');
            const [vendor, word] = action.split(':');
            const { actions, types, keys: listed } = known[vendor];
            const found = actions[word.toLowerCase()];
            const of = [...(found?.conditionKeys ?? []), ...(found?.resourceTypes ?? []).flatMap((type) => [...type.conditionKeys, ...(types[type.name.toLowerCase()].conditionKeys ?? [])])];
            const fine = verbs.test(action) ? listed[key.toLowerCase()] || Object.values(types).some((type) => type.conditionKeys?.includes(key)) : of.includes(key);
            if (!fine && !keyExceptions[key]) wrong.push(`${name}: ${key} is not of ${action}`);
        }
    assert.deepEqual(wrong, []);
});

// What a request can show of these keys is in the table; the rest is state, or not of this server.
const elsewhere = [
    [/^aws:/, 'of every service: tags are found in the input by their form, or read from the resource'],
    [/^lambda:VpcIds$/, 'subnets of VPCs are not known here'],
    [/^lambda:(EventSourceToken|InvokedViaFunctionUrl|SourceFunctionArn)$/, 'of a call that Lambda itself makes or gets'],
    [/^apigateway:Resource\//, 'state: gateway/ops/describe.c'],
    [/^iam:(ResourceTag\/|PermissionsBoundary$)/, 'state: identity/iam/resource.c'],
    [/^iam:(RegisterSecurityKey|FIDO-)/, 'of passkeys that people register at the console'],
    [/^iam:(RoleTemplateARN|DelegationDuration|NotificationChannel|TemplateArn|DelegationRequestOwner|AccountPropertyNamespaces)$/, 'of delegation requests and account properties'],
    [/^iam:ServiceSpecificCredentialServiceName$/, 'state, but for the operation that creates'],
    [/^iam:(PassedToService|AssociatedResourceArn)$/, 'wire/operation.c, with iam:PassRole'],
    [/^cognito-identity(-auth|-unauth)?:/, 'of an identity: state'],
    [/^lambda:(FunctionUrlAuthType|Principal)$/, 'state, but for operations that bring it'],
    [/^lambda:FunctionArn$/, 'state of an event source mapping'],
    [/^(sts|saml|accounts|graph|www|cognito|agent|github|gitlab|idcs|oidc|token)[.:\w-]*[:/]/, 'identity/sts and identity/federation'],
];
test('every condition key of our actions comes from the table, or has a known source', () => {
    const missing = [];
    for (const { name, action, keys = [], unsigned } of all) {
        const [vendor, word] = action.split(':');
        const found = known[vendor].actions[word.toLowerCase()];
        if (!found || unsigned || verbs.test(action)) continue;
        for (const key of [...found.conditionKeys, ...found.resourceTypes.flatMap((type) => type.conditionKeys)])
            if (!keys.some((row) => row.startsWith(`${key}|`)) && !elsewhere.some(([pattern]) => pattern.test(key))) missing.push(`${name}: ${key}`);
    }
    assert.deepEqual(missing.filter((row) => !/Portal|ProductPage|ProductRestEndpointPage/.test(row)), []); // not built: refused with 501
});
