// User import jobs: the link, the file, rows good and bad, progress, log, stopping, a kill in the middle, password hashes.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { binary, eventually, rootKey, run, start } from './support/harness.mjs';
import { signed } from './support/sign.mjs';
import { addPool, addUser, advance, raw, refused, setUp, signIn } from './support/userpool.mjs';

const INVALID = 'InvalidParameterException', UNMET = 'PreconditionNotMetException', MISSING = 'ResourceNotFoundException';
const ROLE = 'arn:aws:iam::000000000000:role/service-role/CognitoLogs';
const HEADER = ['cognito:username', 'name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username', 'profile',
    'picture', 'website', 'email', 'email_verified', 'gender', 'birthdate', 'zoneinfo', 'locale', 'phone_number',
    'phone_number_verified', 'address', 'updated_at', 'cognito:mfa_enabled'];

// {name: 'x'} over a row that is right in every other way.
const row = (columns, username, more = {}) => {
    const values = {
        'cognito:username': username, email: `${username}@example.org`, email_verified: 'true', phone_number_verified: 'false',
        'cognito:mfa_enabled': 'false', ...more,
    };
    return columns.map((c) => (values[c] ?? '').replaceAll(',', '\\,')).join(',');
};
const csv = (rows, columns = HEADER, end = '\n') => [columns.join(','), ...rows].join(end) + end;
const put = (url, body, headers = {}) => fetch(url, { method: 'PUT', body, headers: { 'x-amz-server-side-encryption': 'aws:kms', ...headers } });

let server, s, api;
before(async () => {
    server = await start(null);
    s = await addPool(server);
    api = raw(server);
});
after(() => server.discard());

async function job(pool, more = {}) {
    const { UserImportJob } = await raw(pool.server).createUserImportJob({ UserPoolId: pool.poolId, JobName: 'monday', CloudWatchLogsRoleArn: ROLE, ...more });
    return UserImportJob;
}
const describe = async (pool, JobId) => (await raw(pool.server).describeUserImportJob({ UserPoolId: pool.poolId, JobId })).UserImportJob;
const finished = (pool, id) => eventually('the end of the import', async () => {
    const now = await describe(pool, id);
    return now.CompletionDate && now;
}, 20000);
const startJob = (pool, JobId) => raw(pool.server).startUserImportJob({ UserPoolId: pool.poolId, JobId });
async function imported(pool, text, more) {
    const made = await job(pool, more);
    assert.equal((await put(made.PreSignedUrl, text)).status, 200);
    await startJob(pool, made.JobId);
    return finished(pool, made.JobId);
}
const logOf = async (pool, id, query = '') => (await pool.server.fetch(`/_gatehouse/user-pools/${pool.poolId}/imports/${id}/log${query}`)).json();
const counts = (j) => [j.Status, j.ImportedUsers, j.SkippedUsers, j.FailedUsers];
const attributes = async (pool, Username) => {
    const user = await pool.api.adminGetUser({ UserPoolId: pool.poolId, Username });
    return [user.UserStatus, Object.fromEntries(user.UserAttributes.map((a) => [a.Name, a.Value]))];
};

test('the header has every column, custom ones last', async () => {
    const pool = await addPool(server, { pool: { Schema: [{ Name: 'shoe', AttributeDataType: 'Number' }] } });
    assert.deepEqual(await api.getCSVHeader({ UserPoolId: pool.poolId }), { UserPoolId: pool.poolId, CSVHeader: [...HEADER, 'custom:shoe'] });
    await refused(api.getCSVHeader({ UserPoolId: 'us-east-1_nobody123' }), MISSING);
});

test('rows become users: escapes, custom attributes, any order, CRLF, no last line end', async () => {
    const pool = await addPool(server, { pool: { Schema: [{ Name: 'shoe', AttributeDataType: 'Number', NumberAttributeConstraints: { MinValue: '20' } }] } });
    const columns = ['custom:shoe', ...HEADER].reverse();
    await addUser(pool, 'old');
    const rows = [
        row(columns, 'anna', { name: 'Anna, Queen', address: 'a\\b', 'custom:shoe': '38', birthdate: '02/29/1980' }),
        row(columns, 'old'),
        row(columns, 'bert', { 'custom:shoe': '12' }),
        '',
        row(columns, 'carl', { email_verified: 'false' }),
        row(columns, 'dora', { phone_number: '+4912345678', phone_number_verified: 'true', 'cognito:mfa_enabled': 'true' }),
        row(columns, 'anna', { name: 'twice' }),
    ];
    const done = await imported(pool, csv(rows, columns, '\r\n').trimEnd());
    assert.deepEqual(counts(done), ['Failed', 2, 2, 2]);
    assert.equal(done.CompletionMessage, `Too many users have failed or been skipped during the import. Log: /_gatehouse/user-pools/${pool.poolId}/imports/${done.JobId}/log`);
    const [status, anna] = await attributes(pool, 'anna');
    assert.equal(status, 'RESET_REQUIRED');
    assert.deepEqual([anna.name, anna.address, anna['custom:shoe'], anna.birthdate, anna.email_verified], ['Anna, Queen', 'a\\b', '38', '02/29/1980', 'true']);
    await refused(signIn(pool, 'anna'), 'PasswordResetRequiredException');
    const log = await logOf(pool, done.JobId);
    assert.deepEqual(log.Log, [
        '[SKIPPED] Line Number 3 - The user already exists.',
        log.Log[1],
        '[FAILED] Line Number 6 - The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).',
        '[SKIPPED] Line Number 8 - The user already exists.',
    ]);
    assert.match(log.Log[1], /^\[FAILED\] Line Number 4 - .*custom:shoe/);
    assert.equal(log.PreSignedUrl, undefined);
    assert.deepEqual((await logOf(pool, done.JobId, '?after=4')).Log.length, 2);
    assert.ok(!JSON.stringify(log).includes('example.org'), 'no user data in the log');
    const cli = await run(binary(), ['pool', 'import-log', pool.poolId, done.JobId], { env: { AWS_ENDPOINT_URL: server.url } });
    assert.deepEqual([cli.code, cli.stdout, cli.stderr], [0, `${log.Log.join('\n')}\n`, 'Failed: 2 imported, 2 skipped, 2 failed\n']);
    assert.equal((await run(binary(), ['pool', 'import-log', pool.poolId, 'import-none'], { env: { AWS_ENDPOINT_URL: server.url } })).code, 1);
});

test('bad rows and bad files, each told', async () => {
    const pool = await addPool(server, { pool: { AliasAttributes: ['email'], Schema: [{ Name: 'given_name', AttributeDataType: 'String', Required: true }] } });
    const good = (name, more) => row(HEADER, name, { given_name: 'x', ...more });
    await addUser(pool, 'owner', { attributes: { email: 'taken@example.org', email_verified: 'true', given_name: 'o' } });
    const bad = [
        [good(''), 'The User Record has no cognito:username.'],
        [good('b1', { 'cognito:mfa_enabled': 'yes' }), "The User Record's cognito:mfa_enabled is neither true nor false."],
        [good('b2', { email_verified: '' }), "The User Record's email_verified is neither true nor false."],
        [good('b3', { email: '' }), 'The User Record sets email_verified to true and has no email.'],
        [good('b4', { phone_number_verified: 'true' }), 'The User Record sets phone_number_verified to true and has no phone_number.'],
        [good('b5', { 'cognito:mfa_enabled': 'true' }), 'The User Record sets cognito:mfa_enabled to true and has no verified phone_number.'],
        [good('b6', { birthdate: '1980-02-29' }), "The User Record's birthdate is not of the form mm/dd/yyyy."],
        [good('b7', { birthdate: '13/01/1980' }), "The User Record's birthdate is not of the form mm/dd/yyyy."],
        [good('b8', { email: 'not an address' }), /Invalid email address format/],
        [good('b9', { given_name: '' }), 'Attributes did not conform to the schema: given_name: The attribute is required'],
        [good('b10', { email: 'taken@example.org' }), 'An account with the given email already exists.'],
        [good('b11@example.org'), /^Username cannot be of email format/],
        ['only,three,fields', 'The User Record has not as many values as the header has columns.'],
        [good('b12', { profile: 'p'.repeat(16001) }), 'The User Record is longer than 16,000 characters.'],
        [good('b13', { profile: 'p'.repeat(200000) }), 'The User Record is longer than 16,000 characters.'],
        [good('b14', { profile: 'p'.repeat(2049) }), /profile/],
        [Buffer.from(good('b15', { name: '#' })).toString('latin1').replace('#', '\xff'), 'The User Record is not UTF-8.', 'latin1'],
    ];
    const text = Buffer.concat([Buffer.from(HEADER.join(',') + '\n'), ...bad.map(([line, , encoding]) => Buffer.from(line + '\n', encoding ?? 'utf8')), Buffer.from(good('fine') + '\n')]);
    const done = await imported(pool, text);
    assert.deepEqual(counts(done), ['Failed', 1, 0, bad.length]);
    const { Log } = await logOf(pool, done.JobId);
    for (const [i, [, message]] of bad.entries()) {
        const prefix = `[FAILED] Line Number ${i + 2} - `;
        assert.ok(Log[i].startsWith(prefix), Log[i]);
        if (message instanceof RegExp) assert.match(Log[i].slice(prefix.length), message);
        else assert.equal(Log[i].slice(prefix.length), message);
    }
    await refused(pool.api.adminGetUser({ UserPoolId: pool.poolId, Username: 'b10' }), 'UserNotFoundException');

    const files = [
        ['', 'The file is empty.'],
        [HEADER.slice(1).join(','), 'The header lacks the column cognito:username.'],
        [[...HEADER, 'custom:x'].join(','), 'The header has a column custom:x that the user pool does not have.'],
        [[...HEADER, 'email'].join(','), 'The header has a column email twice.'],
        ['\ufeff' + HEADER.join(','), 'The file must be UTF-8 without a byte order mark.'],
        [Array(200).fill('x').join(','), 'The header has too many columns.'],
        [Buffer.alloc(300000, 'x'), 'The file is empty.'],
    ];
    for (const [file, message] of files) {
        const failed = await imported(pool, file);
        assert.equal(failed.Status, 'Failed');
        assert.ok(failed.CompletionMessage.startsWith(message), failed.CompletionMessage);
    }
    assert.equal((await imported(pool, csv([]))).Status, 'Succeeded', 'nobody is nobody');
});

test('links, preconditions, one at a time, listing, expiry', async (t) => {
    const pool = await setUp(t);
    const own = raw(pool.server);
    const first = await job(pool, { JobName: 'one' });
    assert.match(first.JobId, /^import-[0-9A-Za-z]{10}$/);
    assert.deepEqual([first.Status, first.ImportedUsers, first.CloudWatchLogsRoleArn], ['Created', 0, ROLE]);
    const wrong = new URL(first.PreSignedUrl);
    wrong.searchParams.set('signature', 'x');
    assert.equal((await put(wrong, 'x')).status, 403);
    const later = new URL(first.PreSignedUrl);
    later.searchParams.set('expires', '9999999999');
    assert.equal((await put(later, 'x')).status, 403, 'the signature covers the time');
    assert.equal((await put(first.PreSignedUrl.replace(first.JobId, 'import-0000000000'), 'x')).status, 403);
    assert.equal((await fetch(first.PreSignedUrl)).status, 405);
    await refused(startJob(pool, first.JobId), UNMET, `No csv file was uploaded for ${first.JobId}`);
    await refused(own.stopUserImportJob({ UserPoolId: pool.poolId, JobId: first.JobId }), UNMET, /Created/);
    await refused(describe(pool, 'import-nobody'), MISSING);
    await refused(job(pool, { PasswordHashingAlgorithm: 'MD5' }), INVALID, /enum value set: \[BCRYPT, SCRYPT, ARGON2ID, PBKDF2_SHA256\]|enum value set: \[/);
    await refused(job(pool, { JobName: 'x'.repeat(129) }), INVALID, /at 'jobName'/);

    // a second upload takes the place of the first
    assert.equal((await put(first.PreSignedUrl, 'rubbish')).status, 200);
    assert.equal((await put(first.PreSignedUrl, csv([row(HEADER, 'anna')]))).status, 200);
    await startJob(pool, first.JobId);
    assert.deepEqual(counts(await finished(pool, first.JobId)), ['Succeeded', 1, 0, 0]);
    assert.equal((await put(first.PreSignedUrl, 'x')).status, 409);
    await refused(startJob(pool, first.JobId), UNMET, /Succeeded/);

    await advance(pool.server, 1);
    const second = await job(pool, { JobName: 'two' });
    await put(second.PreSignedUrl, csv([]));
    const list = (MaxResults, PaginationToken) => own.listUserImportJobs({ UserPoolId: pool.poolId, MaxResults, PaginationToken });
    const page = await list(1);
    assert.deepEqual(page.UserImportJobs.map((j) => j.JobName), ['two'], 'newest first');
    const rest = await list(1, page.PaginationToken);
    assert.deepEqual([rest.UserImportJobs.map((j) => j.JobName), rest.PaginationToken], [['one'], undefined]);
    await refused(list(), INVALID, /Value null at 'maxResults'/);

    await advance(pool.server, 24 * 3600);
    assert.equal((await describe(pool, second.JobId)).Status, 'Expired');
    assert.equal((await put(second.PreSignedUrl, csv([]))).status, 403);
    await refused(startJob(pool, second.JobId), UNMET, /Expired/);
    const third = await job(pool);
    assert.equal((await describe(pool, second.JobId)).Status, 'Expired', 'for good');
    await own.updateUserPool({ UserPoolId: pool.poolId });
    await put(third.PreSignedUrl, csv([]));
    await refused(startJob(pool, third.JobId), UNMET, /auto verified/);
});

const many = (n, from = 0) => csv(Array.from({ length: n }, (_, i) => row(HEADER, `user${from + i}`)));

test('a kill in the middle: it goes on from where it was, nobody twice and nobody lost', async (t) => {
    const pool = await setUp(t);
    const N = 6000;
    const made = await job(pool);
    assert.equal((await put(made.PreSignedUrl, many(N))).status, 200);
    await startJob(pool, made.JobId);
    let seen = 0;
    for (let kill = 0; kill < 3; kill++) {
        await eventually('some progress', async () => (await describe(pool, made.JobId)).ImportedUsers > seen + 400);
        await pool.server.restart();
        const now = await describe(pool, made.JobId);
        assert.ok(now.ImportedUsers >= seen, 'progress is kept');
        seen = now.ImportedUsers;
    }
    assert.deepEqual(counts(await finished(pool, made.JobId)), ['Succeeded', N, 0, 0]);
    assert.equal((await raw(pool.server).describeUserPool({ UserPoolId: pool.poolId })).UserPool.EstimatedNumberOfUsers, N);
});

test('stopped; meanwhile the pool is not changed, and no other job begins', async (t) => {
    const pool = await setUp(t);
    const own = raw(pool.server);
    const [made, other] = [await job(pool), await job(pool)];
    await put(made.PreSignedUrl, many(10000));
    await put(other.PreSignedUrl, csv([]));
    await startJob(pool, made.JobId);
    const busy = 'UserImportInProgressException';
    await refused(startJob(pool, other.JobId), UNMET, /is active already/);
    await refused(own.deleteUserPool({ UserPoolId: pool.poolId }), busy);
    await refused(own.updateUserPool({ UserPoolId: pool.poolId }), busy);
    await refused(own.addCustomAttributes({ UserPoolId: pool.poolId, CustomAttributes: [{ Name: 'x', AttributeDataType: 'String' }] }), busy);
    await eventually('some progress', async () => (await describe(pool, made.JobId)).ImportedUsers > 0);
    assert.equal((await own.stopUserImportJob({ UserPoolId: pool.poolId, JobId: made.JobId })).UserImportJob.Status, 'Stopping');
    const done = await finished(pool, made.JobId);
    assert.equal(done.Status, 'Stopped');
    assert.ok(done.CompletionMessage.startsWith('The user import job has been stopped.'));
    assert.ok(done.ImportedUsers > 0 && done.ImportedUsers < 10000);
    await startJob(pool, other.JobId);
    assert.equal((await finished(pool, other.JobId)).Status, 'Succeeded');
    await own.deleteUserPool({ UserPoolId: pool.poolId });
});

test('password hashes: users come CONFIRMED and sign in with the password they had', async () => {
    const pool = await addPool(server, { client: { ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'] } });
    const columns = [...HEADER, 'cognito:password_hash'];
    const b64 = (buffer) => buffer.toString('base64').replace(/=+$/, '');
    const salt = crypto.randomBytes(16);
    const hashes = {
        PBKDF2_SHA256: `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(crypto.pbkdf2Sync('Engine-1843!', salt, 1000, 32, 'sha256'))}`,
        SCRYPT: `$scrypt$ln=10,r=8,p=1$${b64(salt)}$${b64(crypto.scryptSync('Engine-1843!', salt, 32, { N: 1024 }))}`,
    };
    for (const [PasswordHashingAlgorithm, hash] of Object.entries(hashes)) {
        const name = PasswordHashingAlgorithm.toLowerCase();
        const done = await imported(pool, csv([
            row(columns, name, { 'cognito:password_hash': hash }), row(columns, `${name}-none`), row(columns, `${name}-2`, { 'cognito:password_hash': hash }),
            row(columns, `${name}-bad`, { 'cognito:password_hash': '$1$x$y' }),
        ], columns), { PasswordHashingAlgorithm });
        assert.deepEqual(counts(done), ['Succeeded', 3, 0, 1], name);
        assert.equal(done.PasswordHashingAlgorithm, PasswordHashingAlgorithm);
        assert.equal((await attributes(pool, name))[0], 'CONFIRMED');
        assert.equal((await attributes(pool, `${name}-none`))[0], 'RESET_REQUIRED');
        assert.ok((await signIn(pool, name)).AuthenticationResult.IdToken);
        await refused(signIn(pool, `${name}-2`, 'Wrong-1843!'), 'NotAuthorizedException');
        assert.deepEqual((await logOf(pool, done.JobId)).Log, ["[FAILED] Line Number 5 - The User Record's cognito:password_hash is not one of the job's PasswordHashingAlgorithm."]);
    }
    const without = await imported(pool, csv([row(columns, 'x')], columns));
    assert.match(without.CompletionMessage, /^The header has a column cognito:password_hash that the user pool does not have\./);
});

test('the log is for who may describe the job', async (t) => {
    const own = await start(t, { mode: 'serve' });
    own.credentials = rootKey(own);
    const pool = await addPool(own);
    const { UserImportJob } = await raw(own, own.credentials).createUserImportJob({ UserPoolId: pool.poolId, JobName: 'x', CloudWatchLogsRoleArn: ROLE });
    const url = `${own.url}/_gatehouse/user-pools/${pool.poolId}/imports/${UserImportJob.JobId}/log`;
    assert.equal((await fetch(url)).status, 400, 'unsigned');
    const answer = await signed(url, own.credentials, { service: 'cognito-idp' });
    assert.deepEqual([answer.status, (await answer.json()).Status], [200, 'Created']);
    assert.equal((await signed(url.replace('/log', 'x/log'), own.credentials, { service: 'cognito-idp' })).status, 400);
});
