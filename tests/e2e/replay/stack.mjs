// What CloudFormation does with the templates of IAM's recordings: a resource is a call, Ref and Fn::… are looked up.
import fs from 'node:fs';
import path from 'node:path';
import YAML from 'yaml';
import { vectors } from '../support/harness.mjs';
import { CannotPlay } from './fixtures.mjs';

const call = async (player, op, params) => {
    const { answer, error, broken } = await player.caller.call('iam', op, params);
    if (!answer) throw new Error(`${op} of a template fails: ${broken ?? JSON.stringify(error.Error)}`);
    return answer;
};
const text = (document) => (typeof document === 'string' ? document : JSON.stringify(document));

// A type's resource: make it, and what to do when a stack is updated. ref: what Ref gives; more: what GetAtt gives.
const types = {
    'AWS::IAM::User': {
        make: async (player, given, name) => {
            const { User } = await call(player, 'create_user', { UserName: given.UserName ?? name });
            return { ref: User.UserName, more: { Arn: User.Arn } };
        },
    },
    'AWS::IAM::Role': {
        make: async (player, given, name) => {
            const { Role } = await call(player, 'create_role', { RoleName: given.RoleName ?? name, AssumeRolePolicyDocument: text(given.AssumeRolePolicyDocument) });
            return { ref: Role.RoleName, more: { Arn: Role.Arn, RoleId: Role.RoleId } };
        },
    },
    'AWS::IAM::AccessKey': {
        make: async (player, { UserName, Status }) => {
            const { AccessKey } = await call(player, 'create_access_key', { UserName });
            if (Status === 'Inactive') await call(player, 'update_access_key', { UserName, AccessKeyId: AccessKey.AccessKeyId, Status });
            return { ref: AccessKey.AccessKeyId, more: { SecretAccessKey: AccessKey.SecretAccessKey } };
        },
        // Another Serial is another key.
        change: async (player, before, given, made) => {
            if (before.Serial === given.Serial) {
                await call(player, 'update_access_key', { UserName: given.UserName, AccessKeyId: made.ref, Status: given.Status });
                return made;
            }
            const next = await types['AWS::IAM::AccessKey'].make(player, given);
            await call(player, 'delete_access_key', { UserName: given.UserName, AccessKeyId: made.ref });
            return next;
        },
    },
    'AWS::IAM::Policy': {
        make: async (player, given) => {
            const { PolicyName } = given, PolicyDocument = text(given.PolicyDocument);
            for (const UserName of given.Users ?? []) await call(player, 'put_user_policy', { UserName, PolicyName, PolicyDocument });
            for (const RoleName of given.Roles ?? []) await call(player, 'put_role_policy', { RoleName, PolicyName, PolicyDocument });
            return { ref: PolicyName, more: {} };
        },
        change: (player, before, given) => types['AWS::IAM::Policy'].make(player, given),
    },
    'AWS::IAM::ManagedPolicy': {
        make: async (player, given, name) => {
            const { Policy } = await call(player, 'create_policy', { PolicyName: given.ManagedPolicyName ?? name, PolicyDocument: text(given.PolicyDocument) });
            return { ref: Policy.Arn, more: {} };
        },
    },
    'AWS::IAM::ServerCertificate': {
        make: async (player, { ServerCertificateName, CertificateBody, CertificateChain, PrivateKey }) => {
            const { ServerCertificateMetadata } = await call(player, 'upload_server_certificate', { ServerCertificateName, CertificateBody, CertificateChain, PrivateKey });
            return { ref: ServerCertificateName, more: { Arn: ServerCertificateMetadata.Arn } };
        },
        drop: (player, { ref }) => call(player, 'delete_server_certificate', { ServerCertificateName: ref }),
    },
    // No table is made: a policy names it.
    'AWS::DynamoDB::Table': {
        make: async (player, { TableName }) => {
            const Arn = `arn:aws:dynamodb:us-east-1:${player.account}:table/${TableName}`;
            return { ref: TableName, more: { Arn, StreamArn: `${Arn}/stream/2026-02-10T15:56:00.000` } };
        },
    },
};

// !Ref x is { Ref: x }, !Sub y is { 'Fn::Sub': y }.
const customTags = ['Ref', 'Sub', 'GetAtt', 'Join'].map((name) => ({
    tag: `!${name}`, resolve: (value) => ({ [name === 'Ref' ? name : `Fn::${name}`]: value }),
}));

export function readTemplate({ template, template_path }) {
    const body = template ?? fs.readFileSync(path.join(vectors, 'aws-recorded/templates', path.basename(template_path)), 'utf8');
    return YAML.parse(body, { customTags });
}

export async function deploy(player, params) {
    player.stacks ??= new Map();
    const name = params.stack_name ?? `stack-${player.stacks.size + 1}`;
    const stack = player.stacks.get(name) ?? { made: {}, given: {} };
    player.stacks.set(name, stack);
    const template = readTemplate(params), done = new Set();
    const strange = Object.values(template.Resources).find(({ Type }) => !types[Type]);
    if (strange) throw new CannotPlay(`template with ${strange.Type}`);
    const parameters = Object.fromEntries(Object.entries(template.Parameters ?? {}).map(([key, { Default }]) => [key, params.parameters?.[key] ?? String(Default)]));
    const pseudo = { 'AWS::Partition': 'aws', 'AWS::Region': 'us-east-1', 'AWS::AccountId': player.account, 'AWS::StackName': name };

    async function ref(key) {
        if (key in pseudo) return pseudo[key];
        if (key in parameters) return parameters[key];
        return (await resource(key)).ref;
    }
    const attribute = async (of) => {
        const [key, ...rest] = Array.isArray(of) ? of : of.split('.');
        return (await resource(key)).more[rest.join('.')];
    };
    async function substitute(sub) {
        let out = sub;
        for (const [whole, key] of sub.matchAll(/\$\{([^}!]+)\}/g)) out = out.replace(whole, key.includes('.') ? await attribute(key) : await ref(key));
        return out;
    }
    async function value(of) {
        if (Array.isArray(of)) return (await Promise.all(of.map(value))).filter((one) => one !== undefined);
        if (of === null || typeof of !== 'object') return of;
        const [[key, inner] = []] = Object.entries(of);
        if (key === 'Ref') return inner === 'AWS::NoValue' ? undefined : ref(inner);
        if (key === 'Fn::GetAtt') return attribute(inner);
        if (key === 'Fn::Sub') return substitute(inner);
        const out = {};
        for (const [name, one] of Object.entries(of)) out[name] = await value(one);
        return out;
    }
    async function resource(key) {
        if (done.has(key)) return stack.made[key];
        done.add(key);
        const { Type, Properties, DependsOn } = template.Resources[key];
        for (const other of [DependsOn ?? []].flat()) await resource(other);
        const given = await value(Properties ?? {}), before = stack.given[key];
        if (!stack.made[key]) stack.made[key] = await types[Type].make(player, given, `${name}-${key}`);
        else if (JSON.stringify(before) !== JSON.stringify(given)) stack.made[key] = await types[Type].change(player, before, given, stack.made[key]);
        stack.given[key] = given;
        stack.drop ??= [];
        stack.drop.push(() => types[Type].drop?.(player, stack.made[key]));
        return stack.made[key];
    }

    for (const key of Object.keys(template.Resources)) await resource(key);
    const outputs = {};
    for (const [key, { Value }] of Object.entries(template.Outputs ?? {})) outputs[key] = await value(Value);
    return { answer: { stack_name: name, outputs } };
}

// The end of a recorded test's stack is not in its list of calls: the same call that went well is refused after it.
export async function destroyAll(player) {
    for (const stack of player.stacks.values()) for (const drop of stack.drop ?? []) await drop();
    player.stacks.clear();
}
