// The operations of openapi/*.yaml, as the generator reads them, without a parser of YAML: a line is a fact.
import fs from 'node:fs';
import path from 'node:path';

import { root } from './harness.mjs';

const plain = (text) => (/^["[]/.test(text) ? JSON.parse(text) : text);
const fact = (text, name) => new RegExp(`[{ ]${name}: ("(?:[^"]*)"|[^,}]+)`).exec(text)?.[1].replace(/^"|"$/g, '');

// [{service, name, method, path, query, action, arn, also, keys, unsigned, free, labels: {wire: member}}]
export function operations(service) {
    const list = [];
    let place = '', verb = '', about = {};
    for (const line of fs.readFileSync(path.join(root, 'openapi', `${service}.yaml`), 'utf8').split('\n')) {
        if (line.startsWith('components:')) break;
        const [, service_] = /^x-service: (.*)$/.exec(line) ?? [];
        const [, place_] = /^ {2}("\/.*"|\/.*):$/.exec(line) ?? [];
        const [, verb_] = /^ {4}(get|put|post|patch|delete|head):$/.exec(line) ?? [];
        const [, key, value] = /^ {6}(operationId|x-action|x-arn|x-also|x-keys|x-unsigned|x-free): (.*)$/.exec(line) ?? [];
        const [, parameter] = /^ {8}- (\{.*in: path.*)$/.exec(line) ?? [];
        if (service_) about = { protocol: fact(service_, 'protocol'), signing: fact(service_, 'signing'), target: fact(service_, 'target') };
        if (place_) place = plain(place_);
        if (verb_) verb = verb_.toUpperCase();
        if (key === 'operationId') list.push({ service, ...about, name: plain(value), method: verb, path: place.split('#')[0], query: place.split('#')[1], labels: {} });
        else if (key) list.at(-1)[key.slice(2)] = plain(value);
        if (parameter) list.at(-1).labels[fact(parameter, 'name')] = fact(parameter, 'x-member') ?? fact(parameter, 'name');
    }
    return list;
}
export const services = ['cognito-idp', 'cognito-identity', 'iam', 'sts', 'apigateway', 'apigatewayv2', 'apigatewaymanagementapi', 'lambda', 'kms'];
export const allOperations = () => services.flatMap(operations);
