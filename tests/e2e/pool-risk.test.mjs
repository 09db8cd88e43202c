// Threat protection: risk configurations, adaptive answers, auth events and feedback; compromised passwords (attack table
// d76), password history.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { scratch } from './support/harness.mjs';
import { addPool, addUser, advance, claims, PASSWORD, refused, setOptions, setUp, signIn, srpSignIn, WRONG } from './support/userpool.mjs';

const ENFORCED = { UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } };
const UNABLE = ['NotAuthorizedException', 'Unable to login because of security reasons.'];
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0';
const CHROME = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';

// An administrator's server says who its user is: so an address and a browser can be anything.
const from = (s, IpAddress, agent = FIREFOX, password = PASSWORD, name = 'ann', more = {}) => s.api.adminInitiateAuth({
    UserPoolId: s.poolId, ClientId: s.clientId, AuthFlow: 'ADMIN_USER_PASSWORD_AUTH', AuthParameters: { USERNAME: name, PASSWORD: password },
    ContextData: { IpAddress, ServerName: 'shop', ServerPath: '/', HttpHeaders: [{ headerName: 'user-agent', headerValue: agent }], ...more },
});
const events = async (s, more = {}) => (await s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'ann', ...more })).AuthEvents;
const action = (EventAction, Notify = false) => ({ EventAction, Notify });
const takeover = (LowAction, MediumAction, HighAction, NotifyConfiguration) => ({ Actions: { LowAction, MediumAction, HighAction }, NotifyConfiguration });

test('risk configurations of pool and client: set, described, deleted; what is wrong is refused', async (t) => {
    const s = await setUp(t, { pool: ENFORCED });
    const set = (more) => s.api.setRiskConfiguration({ UserPoolId: s.poolId, ...more });
    const described = async (more = {}) => (await s.api.describeRiskConfiguration({ UserPoolId: s.poolId, ...more })).RiskConfiguration;
    assert.deepEqual(await described(), { UserPoolId: s.poolId });
    const CompromisedCredentialsRiskConfiguration = { EventFilter: ['SIGN_UP'], Actions: { EventAction: 'BLOCK' } };
    const RiskExceptionConfiguration = { BlockedIPRangeList: ['192.0.2.0/24'], SkippedIPRangeList: ['2001:db8::/32'] };
    const { RiskConfiguration } = await set({ CompromisedCredentialsRiskConfiguration, RiskExceptionConfiguration });
    assert.ok(RiskConfiguration.LastModifiedDate instanceof Date);
    const { LastModifiedDate, ...rest } = await described();
    assert.ok(LastModifiedDate);
    assert.deepEqual(rest, { UserPoolId: s.poolId, CompromisedCredentialsRiskConfiguration, RiskExceptionConfiguration });
    assert.deepEqual(await described({ ClientId: s.clientId }), { UserPoolId: s.poolId, ClientId: s.clientId });
    const AccountTakeoverRiskConfiguration = takeover(action('MFA_IF_CONFIGURED'), undefined, action('BLOCK'));
    await set({ ClientId: s.clientId, AccountTakeoverRiskConfiguration });
    assert.deepEqual((await described({ ClientId: s.clientId })).AccountTakeoverRiskConfiguration, JSON.parse(JSON.stringify(AccountTakeoverRiskConfiguration)));
    await s.server.restart('SIGKILL');
    const again = await addPool(s.server, { pool: ENFORCED });
    assert.ok((await again.api.describeRiskConfiguration({ UserPoolId: s.poolId })).RiskConfiguration.RiskExceptionConfiguration);
    s.api = again.api;
    await set({});
    assert.deepEqual(await described(), { UserPoolId: s.poolId }, 'none of them deletes it');

    const wrong = [
        [{ RiskExceptionConfiguration: { BlockedIPRangeList: ['192.0.2.0'] } }, 'InvalidParameterException'],
        [{ RiskExceptionConfiguration: { SkippedIPRangeList: ['192.0.2.0/33'] } }, 'InvalidParameterException'],
        [{ RiskExceptionConfiguration: { SkippedIPRangeList: ['x/8'] } }, 'InvalidParameterException'],
        [{ RiskExceptionConfiguration: { SkippedIPRangeList: Array.from({ length: 201 }, () => '10.0.0.0/8') } }, 'InvalidParameterException'],
        [{ CompromisedCredentialsRiskConfiguration: { Actions: { EventAction: 'STOP' } } }, 'InvalidParameterException'],
        [{ CompromisedCredentialsRiskConfiguration: { EventFilter: ['SIGN_OUT'], Actions: { EventAction: 'BLOCK' } } }, 'InvalidParameterException'],
        [{ AccountTakeoverRiskConfiguration: takeover(action('BLOCK', true)) }, 'InvalidParameterException'],
        [{ AccountTakeoverRiskConfiguration: takeover(action('PERHAPS')) }, 'InvalidParameterException'],
        [{ ClientId: 'nosuchclient', ...{ CompromisedCredentialsRiskConfiguration } }, 'ResourceNotFoundException'],
        [{ UserPoolId: 'us-east-1_nobody000' }, 'ResourceNotFoundException'],
    ];
    for (const [more, name] of wrong) await refused(set(more), name);
    const off = await addPool(s.server);
    await addUser(off, 'ann');
    await refused(off.api.describeRiskConfiguration({ UserPoolId: off.poolId }), 'UserPoolAddOnNotEnabledException');
    await refused(off.api.setRiskConfiguration({ UserPoolId: off.poolId, RiskExceptionConfiguration }), 'UserPoolAddOnNotEnabledException');
    await refused(events(off), 'UserPoolAddOnNotEnabledException');
    await refused(off.api.adminUpdateAuthEventFeedback({ UserPoolId: off.poolId, Username: 'ann', EventId: 'x', FeedbackValue: 'Valid' }), 'UserPoolAddOnNotEnabledException');
});

test('sign-ins are events with the tokens\' event_id; pages, newest first; feedback; retention', async (t) => {
    const s = await setUp(t, { pool: { UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } } });
    await addUser(s, 'ann');
    const first = await from(s, '192.0.2.1');
    const [event] = await events(s);
    assert.equal(event.EventId, claims(first.AuthenticationResult.AccessToken).event_id);
    assert.ok(Math.abs(event.CreationDate - Date.now()) < 60000);
    delete event.EventId, delete event.CreationDate;
    assert.deepEqual(event, {
        EventType: 'SignIn', EventResponse: 'Pass',
        EventRisk: { RiskDecision: 'NoRisk', CompromisedCredentialsDetected: false },
        ChallengeResponses: [{ ChallengeName: 'Password', ChallengeResponse: 'Success' }],
        EventContextData: { IpAddress: '192.0.2.1', DeviceName: 'Firefox 121, Linux' },
    });
    await refused(from(s, '192.0.2.1', FIREFOX, WRONG), 'NotAuthorizedException');
    const srp = await srpSignIn(s, 'ann');
    await s.api.forgotPassword({ ClientId: s.clientId, Username: 'ann' });
    await s.api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ann', ConfirmationCode: await s.server.code('ann@example.org'), Password: PASSWORD });
    const encoded = Buffer.from(JSON.stringify({ payload: JSON.stringify({ contextData: { DeviceId: 'd1', ClientTimezone: '+01:00' }, username: 'ann' }), signature: 'x', version: 'JS20171115' })).toString('base64');
    const { AuthenticationResult } = await signIn(s, 'ann', PASSWORD, { UserContextData: { EncodedData: encoded, IpAddress: '203.0.113.5' } });
    await s.api.changePassword({ AccessToken: AuthenticationResult.AccessToken, PreviousPassword: PASSWORD, ProposedPassword: `${PASSWORD}2` });
    await signIn(s, 'ann', `${PASSWORD}2`, { UserContextData: { EncodedData: '%%% not base64' } });
    const all = await events(s);
    assert.deepEqual(all.map((one) => `${one.EventType} ${one.EventResponse}`), ['SignIn Pass', 'PasswordChange Pass', 'SignIn Pass', 'PasswordChange Pass', 'ForgotPassword Pass', 'SignIn Pass', 'SignIn Fail', 'SignIn Pass']);
    assert.equal(all[5].EventId, claims(srp.getIdToken().getJwtToken()).event_id);
    assert.deepEqual(all[6].ChallengeResponses, [{ ChallengeName: 'Password', ChallengeResponse: 'Failure' }]);
    assert.equal(all[2].EventContextData.Timezone, '+01:00');
    assert.equal(all[2].EventContextData.IpAddress, '127.0.0.1', 'a public client does not say where its user is');

    const pages = [];
    for (let NextToken; pages.length === 0 || NextToken;) {
        const page = await s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'ann', MaxResults: 3, NextToken });
        assert.ok(page.AuthEvents.length <= 3);
        pages.push(...page.AuthEvents.map((one) => one.EventId));
        NextToken = page.NextToken;
    }
    assert.deepEqual(pages, all.map((one) => one.EventId));
    await refused(s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'ann', NextToken: 'x' }), 'InvalidParameterException');
    await refused(s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'ann', MaxResults: 61 }), 'InvalidParameterException');
    await refused(s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'bob' }), 'UserNotFoundException');

    const say = (EventId, FeedbackValue) => s.api.adminUpdateAuthEventFeedback({ UserPoolId: s.poolId, Username: 'ann', EventId, FeedbackValue });
    await say(all[0].EventId, 'Valid');
    await say(all[0].EventId, 'Invalid');
    const [{ EventFeedback }] = await events(s);
    assert.deepEqual([EventFeedback.FeedbackValue, EventFeedback.Provider, EventFeedback.FeedbackDate instanceof Date], ['Invalid', 'Admin', true]);
    await refused(say('nosuchevent', 'Valid'), 'ResourceNotFoundException');
    await refused(say(all[0].EventId, 'Perhaps'), 'InvalidParameterException');
    await refused(s.api.updateAuthEventFeedback({ UserPoolId: s.poolId, Username: 'ann', EventId: all[0].EventId, FeedbackToken: 'x.y', FeedbackValue: 'Valid' }), 'NotAuthorizedException', 'Invalid feedback token.');

    await setOptions(s, { authEventDays: 1 });
    await advance(s.server, 86400 + 60);
    await signIn(s, 'ann', `${PASSWORD}2`);
    assert.equal((await events(s)).length, 1);
    await s.api.adminDeleteUser({ UserPoolId: s.poolId, Username: 'ann' });
    await addUser(s, 'ann');
    assert.deepEqual(await events(s), []);
});

// [what it is, how it comes, level]
test('a sign-in is as risky as it is unlike those before; AUDIT says so, ENFORCED acts', async (t) => {
    const s = await setUp(t, { pool: { UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } } });
    await addUser(s, 'ann');
    await s.api.setRiskConfiguration({ UserPoolId: s.poolId, AccountTakeoverRiskConfiguration: takeover(action('NO_ACTION'), action('BLOCK'), action('BLOCK')) });
    const risk = async () => (await events(s))[0].EventRisk;
    const level = async (...args) => (await from(s, ...args), (await risk()).RiskLevel ?? (await risk()).RiskDecision);
    assert.equal(await level('192.0.2.1'), 'NoRisk', 'the first');
    assert.equal(await level('192.0.2.200'), 'NoRisk', 'the same network');
    assert.equal(await level('192.0.2.1', FIREFOX.replaceAll('121', '122')), 'NoRisk', 'the browser was updated');
    assert.equal(await level('198.51.100.1'), 'Low', 'another network');
    assert.equal(await level('198.51.100.1'), 'NoRisk', 'which it is not any more');
    assert.equal(await level('192.0.2.1', CHROME), 'Low', 'another device');
    for (let i = 0; i < 3; i++) await refused(from(s, '192.0.2.1', FIREFOX, WRONG), 'NotAuthorizedException');
    assert.equal(await level('192.0.2.1'), 'Low', 'three wrong passwords before');
    assert.equal(await level('203.0.113.1', 'Lynx/2.8'), 'Medium', 'both; AUDIT lets it pass');
    assert.deepEqual(await risk(), { RiskDecision: 'Block', RiskLevel: 'Medium', CompromisedCredentialsDetected: false });

    await s.api.updateUserPool({ UserPoolId: s.poolId, ...ENFORCED, AutoVerifiedAttributes: ['email'] });
    await refused(from(s, '233.252.0.1', 'Wget/1'), ...UNABLE);
    const [blocked] = await events(s);
    assert.deepEqual([blocked.EventResponse, blocked.EventRisk.RiskDecision, blocked.EventRisk.RiskLevel], ['Fail', 'Block', 'Medium']);
    assert.ok((await from(s, '192.0.2.1')).AuthenticationResult, 'who comes as always comes in');
    await s.api.adminUpdateAuthEventFeedback({ UserPoolId: s.poolId, Username: 'ann', EventId: blocked.EventId, FeedbackValue: 'Valid' });
    assert.ok((await from(s, '233.252.0.1', 'Wget/1')).AuthenticationResult, 'it was the user');
    const mine = (await events(s))[0];
    await s.api.adminUpdateAuthEventFeedback({ UserPoolId: s.poolId, Username: 'ann', EventId: mine.EventId, FeedbackValue: 'Invalid' });
    await refused(from(s, '233.252.0.1', 'Wget/1'), ...UNABLE);

    await s.api.setRiskConfiguration({ UserPoolId: s.poolId, AccountTakeoverRiskConfiguration: takeover(action('NO_ACTION'), action('MFA_IF_CONFIGURED'), action('MFA_REQUIRED')) });
    assert.ok((await from(s, '100.64.0.1', 'curl/8')).AuthenticationResult, 'no factor is configured');
    for (let i = 0; i < 5; i++) await refused(from(s, '100.65.0.1', 'nc/1', WRONG), 'NotAuthorizedException');
    await advance(s.server, 1);
    await refused(from(s, '100.65.0.1', 'nc/1'), ...UNABLE); // High: a factor is required

    // The client's own configuration goes first.
    await s.api.setRiskConfiguration({ UserPoolId: s.poolId, ClientId: s.clientId, RiskExceptionConfiguration: { BlockedIPRangeList: ['192.0.2.0/24'], SkippedIPRangeList: ['100.65.0.0/16'] } });
    await refused(from(s, '192.0.2.1'), 'NotAuthorizedException', 'Request not allowed due to security reasons.');
    assert.ok((await from(s, '100.65.0.1', 'nc/1')).AuthenticationResult);
    assert.equal((await risk()).RiskDecision, 'NoRisk');
    assert.match(s.server.log(), /"operation":"AdminInitiateAuth"/);
});

test('the user is told, in the pool\'s words, and can say by one click whether it was he', async (t) => {
    const s = await setUp(t, { pool: ENFORCED });
    await addUser(s, 'ann');
    const mail = (Subject) => ({ Subject, HtmlBody: `<p>${Subject} {username} {ip-address} {device-name} {login-time} <a href="{one-click-link-valid}">yes</a> <a href="{one-click-link-invalid}">no</a></p>`, TextBody: 'plain text' });
    await s.api.setRiskConfiguration({
        UserPoolId: s.poolId,
        AccountTakeoverRiskConfiguration: takeover(action('NO_ACTION', true), action('BLOCK', true), action('BLOCK', false), {
            SourceArn: 'arn:aws:ses:us-east-1:000000000000:identity/shop', NoActionEmail: mail('seen'), BlockEmail: mail('blocked'), MfaEmail: mail('asked'),
        }),
    });
    await from(s, '192.0.2.1');
    assert.equal((await s.server.outbox('ann@example.org')).length, 0, 'no risk, no mail');
    await from(s, '198.51.100.7');
    const [seen] = await s.server.outbox('ann@example.org');
    assert.match(JSON.stringify(seen), /seen ann 198\.51\.100\.7 Firefox 121, Linux 20/);
    await refused(from(s, '203.0.113.1', CHROME), ...UNABLE);
    const blocked = (await s.server.outbox('ann@example.org')).at(-1);
    assert.match(JSON.stringify(blocked), /blocked ann 203\.0\.113\.1 Chrome 120, Windows/);

    const [, valid] = /href=\\?"([^"\\]+)\\?">yes/.exec(JSON.stringify(blocked));
    const token = new URL(valid).searchParams.get('token');
    const [event] = await events(s);
    const say = (more) => s.api.updateAuthEventFeedback({ UserPoolId: s.poolId, Username: 'ann', EventId: event.EventId, FeedbackToken: token, FeedbackValue: 'Invalid', ...more });
    await say();
    await refused(say({ EventId: (await events(s))[1].EventId }), 'NotAuthorizedException'); // of another event
    await refused(say({ Username: 'bob' }), 'NotAuthorizedException');
    await refused(say({ FeedbackToken: token.slice(0, -2) }), 'NotAuthorizedException');
    const click = await fetch(valid);
    assert.deepEqual([click.status, await click.text()], [200, 'Thank you: this is noted.\n']);
    const { EventFeedback } = (await events(s))[0];
    assert.deepEqual([EventFeedback.FeedbackValue, EventFeedback.Provider], ['Valid', 'User']);
    assert.ok((await from(s, '203.0.113.1', CHROME)).AuthenticationResult);
    await advance(s.server, 8 * 86400);
    assert.equal((await fetch(valid)).status, 400);
    assert.equal((await s.server.fetch('/_gatehouse/feedback')).status, 400);
});

// A list like those of leaked passwords.
function leaked(t, ...passwords) {
    const file = path.join(scratch(t), 'leaked.txt');
    const digests = [...passwords, ...Array.from({ length: 500 }, (_, i) => `filler${i}`)].map((one) => crypto.createHash('sha1').update(one).digest('hex').toUpperCase());
    fs.writeFileSync(file, digests.sort().map((one, i) => `${one}:${i + 1}\r\n`).join(''));
    return file;
}
const LEAKED = 'Password-1234!';
const UNSAFE = ['InvalidPasswordException', 'Provided password cannot be used for security reasons.'];

test('a leaked password is refused at sign-up and change, and ends in a reset at sign-in (d76)', async (t) => {
    const s = await setUp(t, { pool: ENFORCED, args: ['--compromised-passwords', leaked(t, LEAKED)] });
    await addUser(s, 'ann');
    await addUser(s, 'bob', { password: LEAKED });
    const configure = (EventAction, EventFilter) => s.api.setRiskConfiguration({ UserPoolId: s.poolId, CompromisedCredentialsRiskConfiguration: { Actions: { EventAction }, EventFilter } });
    const signUp = (Username, Password) => s.api.signUp({ ClientId: s.clientId, Username, Password, UserAttributes: [{ Name: 'email', Value: `${Username}@example.org` }] });
    const change = async (ProposedPassword) => s.api.changePassword({ AccessToken: (await signIn(s, 'ann')).AuthenticationResult.AccessToken, PreviousPassword: PASSWORD, ProposedPassword });
    assert.ok((await signIn(s, 'bob', LEAKED)).AuthenticationResult, 'nothing is configured');
    await configure('NO_ACTION');
    assert.ok((await signIn(s, 'bob', LEAKED)).AuthenticationResult);
    const [event] = (await s.api.adminListUserAuthEvents({ UserPoolId: s.poolId, Username: 'bob' })).AuthEvents;
    assert.equal(event.EventRisk.CompromisedCredentialsDetected, true, 'but seen');
    await configure('BLOCK', ['SIGN_UP']);
    await refused(signUp('carl', LEAKED), ...UNSAFE);
    await signUp('carl', PASSWORD);
    assert.ok((await signIn(s, 'bob', LEAKED)).AuthenticationResult);
    await configure('BLOCK', ['PASSWORD_CHANGE']);
    await refused(change(LEAKED), ...UNSAFE);
    await s.api.forgotPassword({ ClientId: s.clientId, Username: 'ann' });
    const ConfirmationCode = await s.server.code('ann@example.org');
    await refused(s.api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ann', ConfirmationCode, Password: LEAKED }), ...UNSAFE);
    await signUp('dora', LEAKED);
    await configure('BLOCK');
    assert.ok(await srpSignIn(s, 'bob', LEAKED), 'SRP does not show the password');
    await refused(signIn(s, 'bob', LEAKED), 'PasswordResetRequiredException');
    assert.equal((await s.api.adminGetUser({ UserPoolId: s.poolId, Username: 'bob' })).UserStatus, 'RESET_REQUIRED');
    await refused(srpSignIn(s, 'bob', LEAKED), 'PasswordResetRequiredException');
    await refused(signIn(s, 'ann', WRONG), 'NotAuthorizedException');

    const off = await addPool(s.server); // without threat protection: by our option
    await addUser(off, 'ann');
    await off.api.signUp({ ClientId: off.clientId, Username: 'eve', Password: LEAKED, UserAttributes: [{ Name: 'email', Value: 'eve@example.org' }] });
    await setOptions(off, { refuseCompromisedPasswords: true });
    await refused(off.api.signUp({ ClientId: off.clientId, Username: 'fay', Password: LEAKED }), ...UNSAFE);
});

test('a list that is none stops the start', async (t) => {
    const file = path.join(scratch(t), 'list');
    fs.writeFileSync(file, 'password\n');
    await assert.rejects(setUp(t, { args: ['--compromised-passwords', file] }), /no list of SHA-1 digests/);
    await assert.rejects(setUp(t, { args: ['--compromised-passwords', `${file}.none`] }), /cannot read/);
});

test('PasswordHistorySize: none of the last n comes back, whoever sets it', async (t) => {
    const s = await setUp(t, { pool: { Policies: { PasswordPolicy: { MinimumLength: 8, PasswordHistorySize: 3 } } } });
    assert.equal((await s.api.describeUserPool({ UserPoolId: s.poolId })).UserPool.Policies.PasswordPolicy.PasswordHistorySize, 3);
    await addUser(s, 'ann');
    await setOptions(s, { capChangePassword: 100 });
    let now = PASSWORD;
    const change = async (to) => {
        const { AuthenticationResult } = await signIn(s, 'ann', now);
        await s.api.changePassword({ AccessToken: AuthenticationResult.AccessToken, PreviousPassword: now, ProposedPassword: to });
        now = to;
    };
    await refused(change(PASSWORD), 'PasswordHistoryPolicyViolationException');
    await change('second-1843');
    await change('third-1843');
    for (const old of [PASSWORD, 'second-1843', 'third-1843']) {
        await refused(change(old), 'PasswordHistoryPolicyViolationException');
        await refused(s.api.adminSetUserPassword({ UserPoolId: s.poolId, Username: 'ann', Password: old, Permanent: true }), 'PasswordHistoryPolicyViolationException');
    }
    await change('fourth-1843');
    await change(PASSWORD); // three others have been since
    await s.api.forgotPassword({ ClientId: s.clientId, Username: 'ann' });
    const ConfirmationCode = await s.server.code('ann@example.org');
    const confirm = (Password) => s.api.confirmForgotPassword({ ClientId: s.clientId, Username: 'ann', ConfirmationCode, Password });
    await refused(confirm('fourth-1843'), 'PasswordHistoryPolicyViolationException');
    await confirm('fifth-1843');
    await refused(s.api.createUserPool({ PoolName: 'x', Policies: { PasswordPolicy: { PasswordHistorySize: 25 } } }), 'InvalidParameterException');
    const none = await addPool(s.server);
    await addUser(none, 'ann');
    const { AuthenticationResult } = await signIn(none, 'ann');
    await none.api.changePassword({ AccessToken: AuthenticationResult.AccessToken, PreviousPassword: PASSWORD, ProposedPassword: PASSWORD });
});
