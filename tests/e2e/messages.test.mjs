// How a pool's messages leave the house: SMTP with TLS against nodemailer's server, text messages by a hook and by an
// SNS endpoint that checks the signature, confirmation by a link; and every way a delivery may fail.
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { SMTPServer } from 'smtp-server';

import { recordingBackend } from './support/backends.mjs';
import { atEnd, request, scratch, start } from './support/harness.mjs';
import { Authority } from './support/tls.mjs';
import { addPool, operations, PASSWORD, refused } from './support/userpool.mjs';
import { verifyingServer, withKey } from './support/verifying.mjs';

// {port, mails: [{from, to, headers, html, secure, user}]}
async function mailServer(t, options = {}) {
    const mails = [];
    const server = new SMTPServer({
        authOptional: true,
        onAuth: ({ username, password }, session, done) =>
            username === 'shop@example.org' && password === 'p:w %' ? done(null, { user: username }) : done(new Error('no such user')),
        onRcptTo: ({ address }, session, done) =>
            address.startsWith('nobody') ? done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })) : done(),
        onData: (stream, session, done) => {
            const pieces = [];
            stream.on('data', (p) => pieces.push(p)).on('end', () => {
                const [head, ...body] = Buffer.concat(pieces).toString().split('\r\n\r\n');
                const headers = Object.fromEntries(head.replaceAll(/\r\n\s+/g, ' ').split('\r\n').map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
                mails.push({
                    from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map((r) => r.address), headers,
                    html: Buffer.from(body.join('\r\n\r\n'), 'base64').toString(), secure: session.secure, user: session.user,
                });
                done();
            });
        },
        logger: false,
        ...options,
    });
    server.on('error', () => {}); // a client that does not trust us leaves
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(t, () => new Promise((done) => server.close(done)));
    return { port: server.server.address().port, mails };
}

const decoded = (words) => words.replaceAll(/=\?UTF-8\?B\?([^?]*)\?=(?:\s+(?==\?))?/g, (_, text) => Buffer.from(text, 'base64').toString());
const signUp = ({ api, clientId }, Username, email) =>
    api.signUp({ ClientId: clientId, Username, Password: PASSWORD, UserAttributes: [{ Name: 'email', Value: email }] });
const metric = async (server, channel, result) =>
    Number(new RegExp(`gatehouse_messages_total\\{channel="${channel}",result="${result}"\\} (\\d+)`).exec(await (await server.fetch('/_gatehouse/metrics')).text())[1]);

function certificate(t, name = 'localhost') {
    const authority = new Authority(scratch(t), 'mail');
    return { authority, ...authority.issue(name, { names: [name], usage: 'serverAuth' }) };
}

for (const secure of [false, true])
    test(`a code by mail: ${secure ? 'TLS from the start' : 'STARTTLS'}, with a user`, async (t) => {
        const { authority, cert, key } = certificate(t);
        const mail = await mailServer(t, { secure, cert, key, authOptional: false });
        const login = `shop%40example.org:${encodeURIComponent('p:w %')}`;
        const server = await start(t, { args: ['--smtp', `smtp${secure ? 's' : ''}://${login}@localhost:${mail.port}`, '--smtp-ca', authority.file, '--mail-from', 'Der Händler <no-reply@shop.example>'] });
        const s = await addPool(server, { pool: { VerificationMessageTemplate: { EmailSubject: 'Ваш код подтверждения для магазина на углу', EmailMessage: '<p>Grüße! {####}</p>' } } });
        const { CodeDeliveryDetails } = await signUp(s, 'ada', 'ada@example.org');
        assert.deepEqual(CodeDeliveryDetails, { AttributeName: 'email', DeliveryMedium: 'EMAIL', Destination: 'a***@e***' });
        const [one] = mail.mails;
        assert.deepEqual([one.from, one.to, one.secure, one.user], ['no-reply@shop.example', ['ada@example.org'], true, 'shop@example.org']);
        assert.equal(decoded(one.headers.subject), 'Ваш код подтверждения для магазина на углу');
        assert.ok(one.headers.subject.split(' ').every((word) => word.length <= 75), one.headers.subject);
        assert.equal(decoded(one.headers.from), 'Der Händler <no-reply@shop.example>');
        assert.match(one.headers['message-id'], /^<[0-9a-f-]{36}@shop\.example>$/);
        assert.match(one.headers.date, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
        assert.equal(one.headers['content-type'], 'text/html; charset=UTF-8');
        const code = /^<p>Grüße! (\d{6})<\/p>$/.exec(one.html)[1];
        await s.api.confirmSignUp({ ClientId: s.clientId, Username: 'ada', ConfirmationCode: code });
        assert.deepEqual(await server.outbox('ada@example.org'), [], 'what has a way out is not kept');
        assert.equal(await metric(server, 'email', 'sent'), 1);
    });

test('a mail that cannot be delivered is an error, a metric and a line in the log; the next one goes', async (t) => {
    const good = certificate(t), other = certificate(t);
    const mail = await mailServer(t, { cert: good.cert, key: good.key });
    const rows = [
        ['no such mailbox', ['--smtp', `smtp://localhost:${mail.port}`, '--smtp-ca', good.authority.file], 'nobody@example.org', /550|no such mailbox/],
        ['a certificate of somebody else', ['--smtp', `smtp://localhost:${mail.port}`, '--smtp-ca', other.authority.file], 'ada@example.org', /certificate/i],
        ['a name that the certificate has not', ['--smtp', `smtp://127.0.0.1:${mail.port}`, '--smtp-ca', good.authority.file], 'ada@example.org', /subject name|certificate/i],
        ['nobody listens', ['--smtp', 'smtp://localhost:1', '--smtp-ca', good.authority.file], 'ada@example.org', /connect/i],
        ['a wrong password', ['--smtp', `smtp://shop:wrong@localhost:${mail.port}`, '--smtp-ca', good.authority.file], 'ada@example.org', /login|authent/i],
    ];
    for (const [name, args, to, log] of rows) {
        const server = await start(t, { args: [...args, '--mail-from', 'a@b.example'] });
        const s = await addPool(server);
        const LogGroupArn = 'arn:aws:logs:us-east-1:000000000000:log-group:pool';
        await s.api.setLogDeliveryConfiguration({ UserPoolId: s.poolId, LogConfigurations: [{ LogLevel: 'ERROR', EventSource: 'userNotification', CloudWatchLogsConfiguration: { LogGroupArn } }] });
        await refused(signUp(s, 'ada', to), 'CodeDeliveryFailureException', 'The mail could not be delivered.');
        assert.match(server.log(), log, `${name}: ${server.log()}`);
        assert.match(server.log(), /a message was not delivered/);
        assert.match(server.log(), /USER_NOTIFICATION/, 'the event that the pool asked for');
        assert.doesNotMatch(server.log(), /wrong@|shop:/, 'the password is not in the log');
        assert.equal(await metric(server, 'email', 'failed'), 1, name);
        assert.equal((await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'ada' })).UserStatus, 'UNCONFIRMED', 'the user is there and may ask again');
        if (name === 'no such mailbox') {
            await s.api.adminUpdateUserAttributes({ UserPoolId: s.poolId, Username: 'ada', UserAttributes: [{ Name: 'email', Value: 'ada@example.org' }] });
            await s.api.resendConfirmationCode({ ClientId: s.clientId, Username: 'ada' });
            assert.ok(mail.mails.length >= 1);
        }
        await server.stop();
    }
});

test('a mail server without TLS is talked to on this machine only, and only when no authority is named', async (t) => {
    const mail = await mailServer(t, { disabledCommands: ['STARTTLS', 'AUTH'] });
    const here = await addPool(await start(t, { args: ['--smtp', `smtp://127.0.0.1:${mail.port}`, '--mail-from', 'a@b.example'] }));
    await signUp(here, 'ada', 'ada@example.org');
    assert.deepEqual([mail.mails.length, mail.mails[0].secure], [1, false]);
    const { authority } = certificate(t);
    const strict = await addPool(await start(t, { args: ['--smtp', `smtp://127.0.0.1:${mail.port}`, '--smtp-ca', authority.file, '--mail-from', 'a@b.example'] }));
    await refused(signUp(strict, 'ada', 'ada@example.org'), 'CodeDeliveryFailureException');
    assert.equal(mail.mails.length, 1);
});

test('a pool says whom its mails come from; headers cannot be smuggled in', async (t) => {
    const mail = await mailServer(t, { disabledCommands: ['STARTTLS', 'AUTH'] });
    const server = await start(t, { args: ['--smtp', `smtp://127.0.0.1:${mail.port}`, '--mail-from', 'house@b.example'] });
    const SourceArn = 'arn:aws:ses:us-east-1:000000000000:identity/ses@shop.example';
    const api = operations(server.client((await import('@aws-sdk/client-cognito-identity-provider')).CognitoIdentityProviderClient));
    for (const [EmailConfiguration, text] of [
        [{ EmailSendingAccount: 'DEVELOPER' }, 'Source ARN is required to use DEVELOPER email sending owner'],
        [{ EmailSendingAccount: 'DEVELOPER', SourceArn, From: 'no address' }, 'Provided From email address is invalid'],
        [{ From: 'A <a@b.example>\r\nBcc: all@example.org' }, 'Provided From email address is invalid'],
        [{ From: 'A <a@b.example> <c@d.example>' }, 'Provided From email address is invalid'],
    ])
        await refused(api.createUserPool({ PoolName: 'x', EmailConfiguration }), 'InvalidParameterException', text);
    const rows = [
        [{ EmailSendingAccount: 'DEVELOPER', SourceArn }, 'ses@shop.example', undefined],
        [{ EmailSendingAccount: 'DEVELOPER', SourceArn, From: 'Shop <a@shop.example>', ReplyToEmailAddress: 'help@shop.example', ConfigurationSet: 'shop' }, '"Shop" <a@shop.example>', 'help@shop.example'],
        [{}, 'house@b.example', undefined],
    ];
    for (const [EmailConfiguration, from, replyTo] of rows) {
        const s = await addPool(server, { pool: { EmailConfiguration } });
        await signUp(s, 'ada', 'ada@example.org');
        const { headers } = mail.mails.at(-1);
        assert.deepEqual([headers.from, headers['reply-to'], headers['x-ses-configuration-set']], [from, replyTo, EmailConfiguration.ConfigurationSet]);
    }
    const s = await addPool(server);
    const before = mail.mails.length;
    await assert.rejects(signUp(s, 'eve', 'eve@example.org\r\nBcc: all@example.org'), /InvalidParameter|conform|valid/);
    await assert.rejects(signUp(s, 'eve', 'eve@example.org,all@example.org'), /CodeDelivery|InvalidParameter/);
    assert.equal(mail.mails.length, before);
});

test('text messages by a hook: what it gets, and that its refusal is an error', async (t) => {
    let status = 200;
    const hook = await recordingBackend(t, () => ({ status, body: '{}' }));
    const server = await start(t, { args: ['--sms', `${hook.url.replace('://', '://user:pass@')}/sms?from=1`] });
    const SmsConfiguration = { SnsCallerArn: 'arn:aws:iam::000000000000:role/sms', ExternalId: 'x' };
    const s = await addPool(server, { pool: { AutoVerifiedAttributes: ['phone_number'], SmsConfiguration, SmsVerificationMessage: 'Shop: {####}' } });
    const join = (Username) => s.api.signUp({ ClientId: s.clientId, Username, Password: PASSWORD, UserAttributes: [{ Name: 'phone_number', Value: '+15550001234' }] });
    const { CodeDeliveryDetails } = await join('ada');
    assert.deepEqual(CodeDeliveryDetails, { AttributeName: 'phone_number', DeliveryMedium: 'SMS', Destination: '+*******1234' });
    const [got] = hook.requests;
    assert.deepEqual([got.method, got.url, got.headers.authorization, got.headers['content-type']], ['POST', '/sms?from=1', `Basic ${btoa('user:pass')}`, 'application/json']);
    const { to, message, account } = JSON.parse(got.body);
    assert.deepEqual([to, account], ['+15550001234', '000000000000']);
    const code = /^Shop: (\d{6})$/.exec(message)[1];
    status = 500;
    await refused(join('eve'), 'CodeDeliveryFailureException', 'The text message could not be delivered.');
    assert.match(server.log(), /the hook for text messages says 500/);
    assert.doesNotMatch(server.log(), /user:pass/);
    await s.api.confirmSignUp({ ClientId: s.clientId, Username: 'ada', ConfirmationCode: code });
    assert.deepEqual([await metric(server, 'sms', 'sent'), await metric(server, 'sms', 'failed')], [1, 1]);
});

test('text messages by an SNS endpoint: signed with its key, or in the role of the pool', async (t) => {
    const sns = await verifyingServer(t, () => ({ anyway: true, body: '<PublishResponse/>' }));
    const pool = (SnsCallerArn) => ({ AutoVerifiedAttributes: ['phone_number'], SmsConfiguration: { SnsCallerArn, ExternalId: 'x', SnsRegion: 'eu-west-1' } });
    const join = (s) => s.api.signUp({ ClientId: s.clientId, Username: 'ada', Password: PASSWORD, UserAttributes: [{ Name: 'phone_number', Value: '+15550001234' }] });
    const keyed = await addPool(await start(t, { args: ['--endpoint', `sns=${withKey(sns.url)}`] }), { pool: pool('arn:aws:iam::000000000000:role/sms') });
    await join(keyed);
    assert.deepEqual([sns.calls[0].signature.ok, sns.calls[0].signature.service, sns.calls[0].signature.region], [true, 'sns', 'eu-west-1']);
    const form = Object.fromEntries(new URLSearchParams(sns.calls[0].body));
    assert.deepEqual([form.Action, form.PhoneNumber, /^Your confirmation code is \d{6}$/.test(form.Message)], ['Publish', '+15550001234', true]);

    const server = await start(t, { args: ['--endpoint', `sns=${sns.url}`] });
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'cognito-idp.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    await server.client(IAMClient).send(new CreateRoleCommand({ RoleName: 'sms', AssumeRolePolicyDocument: JSON.stringify(trust) }));
    await join(await addPool(server, { pool: pool('arn:aws:iam::000000000000:role/sms') }));
    assert.match(sns.calls[1].headers.authorization, /Credential=ASIA[A-Z2-7]{16}\/\d{8}\/eu-west-1\/sns\//);
    await refused(join(await addPool(server, { pool: pool('arn:aws:iam::000000000000:role/nobody') })), 'CodeDeliveryFailureException');
    assert.equal(sns.calls.length, 2);
});

test('confirmed by a link: once, from a page that nobody can frame', async (t) => {
    const server = await start(t);
    const s = await addPool(server, {
        pool: { VerificationMessageTemplate: { DefaultEmailOption: 'CONFIRM_WITH_LINK', EmailMessageByLink: 'Dear {username}, {##come & in##}!', EmailSubjectByLink: 'The door' } },
        client: { GenerateSecret: true, ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH', 'ALLOW_REFRESH_TOKEN_AUTH'] },
    });
    const { createHmac } = await import('node:crypto');
    const hash = (name) => createHmac('sha256', s.client.ClientSecret).update(name + s.clientId).digest('base64');
    const name = '<img/src=x>&"';
    await s.api.signUp({ ClientId: s.clientId, Username: name, Password: PASSWORD, SecretHash: hash(name), UserAttributes: [{ Name: 'email', Value: 'ada@example.org' }] });
    const [mail] = await server.outbox('ada@example.org');
    assert.equal(mail.subject, 'The door');
    assert.equal(mail.code, undefined, 'there is nothing to type');
    assert.equal(mail.body, `Dear &lt;img/src=x&gt;&amp;&quot;, <a href="${mail.link.replaceAll('&', '&amp;')}">come & in</a>!`);
    const link = new URL(mail.link);
    assert.deepEqual([link.pathname, link.searchParams.get('client_id'), link.searchParams.get('user_name')], [`/_aws/cognito-idp/${s.poolId}/confirmUser`, s.clientId, name]);

    const changed = (change) => { const other = new URL(link); change(other.searchParams); return other; };
    const bad = [
        ['a wrong code', changed((q) => q.set('confirmation_code', q.get('confirmation_code') === '000000' ? '000001' : '000000'))],
        ['no code', changed((q) => q.delete('confirmation_code'))],
        ['another user', changed((q) => q.set('user_name', 'eve'))],
        ['another client', changed((q) => q.set('client_id', 'x'.repeat(26)))],
        ['nothing at all', new URL(link.pathname, link)],
        ['another pool', new URL(link.href.replace(s.poolId, 'us-east-1_AAAAAAAAA'))],
    ];
    for (const [what, url] of bad) assert.equal((await request(url.href)).status, 400, what);
    assert.equal((await request(link.href, { method: 'HEAD' })).status, 404, 'looking is not clicking');
    const page = await request(link.href);
    assert.equal(page.status, 200, page.text);
    assert.match(page.text, /Your registration has been confirmed!/);
    assert.match(page.headers['content-security-policy'], /default-src 'none'; frame-ancestors 'none'/);
    assert.deepEqual([page.headers['x-frame-options'], page.headers['cache-control'], page.headers['referrer-policy']], ['DENY', 'no-store', 'no-referrer']);
    const user = await s.api.adminGetUser({ UserPoolId: s.poolId, Username: name });
    assert.equal(user.UserStatus, 'CONFIRMED');
    assert.equal(user.UserAttributes.find((a) => a.Name === 'email_verified').Value, 'true');
    assert.equal((await request(link.href)).status, 400, 'a link is good once');
});

test('serve mode without a mail server says so, and nothing waits in a drawer', async (t) => {
    const { rootKey } = await import('./support/harness.mjs');
    const server = await start(t, { mode: 'serve' });
    server.credentials = rootKey(server);
    const s = await addPool(server);
    await refused(signUp(s, 'ada', 'ada@example.org'), 'CodeDeliveryFailureException', 'The mail could not be delivered.');
    assert.match(server.log(), /no mail server is configured \(--smtp\)/);
});

test('what is no mail server is said at the start', async (t) => {
    for (const args of [['--smtp', 'mail.example.org'], ['--smtp', 'http://mail.example.org'], ['--smtp', 'smtp://'], ['--mail-from', 'nobody'], ['--mail-from', 'a@b\n'], ['--sms', 'tel:1'], ['--smtp-ca', path.join(scratch(t), 'none.pem')]])
        await assert.rejects(start(t, { args }), (error) => error.exitCode === 1, args.join(' '));
});
