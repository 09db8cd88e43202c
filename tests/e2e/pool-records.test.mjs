// What is set up beside a pool: identity-provider records and links, certificate, domains, pages' looks, terms, replicas,
// provisioned limits, log delivery, tags.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { start } from './support/harness.mjs';
import { addPool, addUser, claims, raw, refused, setUp, signIn } from './support/userpool.mjs';

const INVALID = 'InvalidParameterException', MISSING = 'ResourceNotFoundException';
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64, 1)]);

let server, s, api, newest;
before(async () => {
    server = await start(null);
    s = await addPool(server);
    api = s.api;
    newest = raw(server);
});
after(() => server.discard());

const withPool = (UserPoolId, rest) => ({ UserPoolId, ...rest });
const google = { client_id: 'g', client_secret: 'hush', authorize_scopes: 'openid email' };
const oidc = { client_id: 'o', client_secret: 'hush', authorize_scopes: 'openid', attributes_request_method: 'GET', oidc_issuer: 'https://id.example.org' };
const provider = (ProviderType, ProviderDetails, more = {}) => ({ ProviderName: ProviderType, ProviderType, ProviderDetails, ...more });

test('providers: each type with what it must say, and what is added', async () => {
    const { poolId } = await addPool(server);
    const apple = { client_id: 'a', team_id: 't', key_id: 'k', private_key: 'p', authorize_scopes: 'email' };
    const good = [
        [provider('Google', google), { oidc_issuer: 'https://accounts.google.com', token_request_method: 'POST', attributes_url_add_attributes: 'true' }, { username: 'sub' }],
        [provider('Facebook', { ...google, api_version: 'v20.0' }), { authorize_url: 'https://www.facebook.com/v20.0/dialog/oauth' }, { username: 'id' }],
        [provider('LoginWithAmazon', google), { token_url: 'https://api.amazon.com/auth/o2/token' }, { username: 'user_id' }],
        [provider('SignInWithApple', apple), { oidc_issuer: 'https://appleid.apple.com' }, { username: 'sub' }],
        [provider('OIDC', oidc, { ProviderName: 'Okta', AttributeMapping: { email: 'mail' }, AcrMapping: { Level1: 'one' } }), { attributes_url_add_attributes: 'false' }, { email: 'mail', username: 'sub' }],
        [provider('SAML', { MetadataURL: 'https://id.example.org/metadata', IDPSignout: 'true' }, { ProviderName: 'Corp' }), {}, {}],
        [provider('SAML', { MetadataFile: '<EntityDescriptor/>' }, { ProviderName: 'Corp2' }), {}, {}],
    ];
    for (const [input, added, mapping] of good) {
        const { IdentityProvider: made } = await newest.createIdentityProvider(withPool(poolId, input));
        assert.deepEqual(made.ProviderDetails, { ...made.ProviderDetails, ...input.ProviderDetails, ...added }, input.ProviderName);
        assert.deepEqual(made.AttributeMapping, mapping);
        const { IdentityProvider: read } = await newest.describeIdentityProvider({ UserPoolId: poolId, ProviderName: input.ProviderName });
        assert.deepEqual(read, made, 'as it was made');
    }
    const bad = [
        [provider('Google', { client_id: 'g', client_secret: 's' }), 'clientId, clientSecret and authorizeScopes are all required idp details.'],
        [provider('SignInWithApple', google), 'clientId, privateKey, teamId, and keyId are all required idp details.'],
        [provider('OIDC', google, { ProviderName: 'X1x' }), 'clientId, authorizeScopes, oidcIssuer and attributesRequestMethod are all required idp details.'],
        [provider('OIDC', { ...oidc, oidc_issuer: 'http://id.example.org' }, { ProviderName: 'X1x' }), 'OIDC endpoint must start with https://'],
        [provider('SAML', { MetadataURL: 'https://x', MetadataFile: '<EntityDescriptor/>' }, { ProviderName: 'X1x' }), 'Only one of the MetadataURL or MetadataFile should be provided.'],
        [provider('SAML', {}, { ProviderName: 'X1x' }), 'At least one of the MetadataURL or MetadataFile should be provided.'],
        [provider('SAML', { MetadataFile: 'hello' }, { ProviderName: 'X1x' }), /not SAML metadata/],
        [provider('Google', google, { ProviderName: 'Mine' }), 'Provider Mine cannot be of type Google.'],
        [provider('OIDC', oidc, { ProviderName: 'Facebook' }), 'Provider Facebook cannot be of type OIDC.'],
        [provider('OIDC', oidc, { ProviderName: 'X1x', AttributeMapping: { 'custom:none': 'x', email: 'mail' } }), 'AttributeMapping contains invalid mapping: [custom:none]'],
        [provider('SAML', { MetadataURL: 'https://x' }, { ProviderName: 'X1x', AcrMapping: { Level1: 'x' } }), /AcrMapping/],
    ];
    for (const [input, message] of bad) await refused(newest.createIdentityProvider(withPool(poolId, input)), INVALID, message);
    await refused(api.createIdentityProvider(withPool(poolId, provider('Google', google))), 'DuplicateProviderException');
    await refused(api.createIdentityProvider(withPool(poolId, provider('Myspace', google, { ProviderName: 'Mysp' }))), INVALID, /Member must satisfy enum value set: \[/);
});

test('providers: identifiers lead to one, pages, update part by part, secrets sealed at rest', async () => {
    const { poolId, clientId } = await addPool(server);
    const named = (ProviderName, IdpIdentifiers) => withPool(poolId, provider('OIDC', oidc, { ProviderName, IdpIdentifiers }));
    await api.createIdentityProvider(named('One', ['one.example', 'uno']));
    await refused(api.createIdentityProvider(named('Two', ['uno'])), INVALID, /uno/);
    await refused(api.describeIdentityProvider({ UserPoolId: poolId, ProviderName: 'Two' }), MISSING, 'Identity provider Two does not exist.');
    await api.createIdentityProvider(named('Two', []));
    await api.createIdentityProvider(named('Three', []));
    const by = (IdpIdentifier) => api.getIdentityProviderByIdentifier({ UserPoolId: poolId, IdpIdentifier });
    assert.equal((await by('uno')).IdentityProvider.ProviderName, 'One');
    await refused(by('due'), MISSING);

    const names = [];
    let NextToken;
    do {
        const page = await api.listIdentityProviders({ UserPoolId: poolId, MaxResults: 2, NextToken });
        assert.ok(page.Providers.length <= 2);
        names.push(...page.Providers.map((p) => p.ProviderName));
        NextToken = page.NextToken;
    } while (NextToken);
    assert.deepEqual(names, ['One', 'Three', 'Two']);
    await refused(api.listIdentityProviders({ UserPoolId: poolId, MaxResults: 61 }), INVALID,
        "1 validation error detected: Value '61' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 60");
    await refused(api.listIdentityProviders({ UserPoolId: poolId, NextToken: 'x' }), INVALID);

    await api.updateIdentityProvider({ UserPoolId: poolId, ProviderName: 'One', IdpIdentifiers: ['eins'] });
    await refused(by('uno'), MISSING);
    const changed = (await by('eins')).IdentityProvider;
    assert.equal(changed.ProviderDetails.client_secret, 'hush', 'what was left out stays');
    await refused(api.updateIdentityProvider({ UserPoolId: poolId, ProviderName: 'One', ProviderDetails: { client_id: 'x' } }), INVALID);

    const client = { UserPoolId: poolId, ClientId: clientId };
    await refused(api.updateUserPoolClient({ ...client, SupportedIdentityProviders: ['COGNITO', 'Four'] }), INVALID, `The provider Four does not exist for User Pool ${poolId}.`);
    await api.updateUserPoolClient({ ...client, SupportedIdentityProviders: ['COGNITO', 'One'] });
    await api.deleteIdentityProvider({ UserPoolId: poolId, ProviderName: 'One' });
    await refused(api.deleteIdentityProvider({ UserPoolId: poolId, ProviderName: 'One' }), MISSING);
    await refused(by('eins'), MISSING);
    assert.ok(!server.log().includes('hush'));
});

test('linking: the identities attribute and its claim, five at most, and undone', async () => {
    const mine = await addPool(server);
    const { poolId } = mine;
    await addUser(mine, 'anna');
    await addUser(mine, 'bert');
    await addUser(mine, 'Google_7');
    await api.createIdentityProvider(withPool(poolId, provider('Google', google)));
    await api.createIdentityProvider(withPool(poolId, provider('SAML', { MetadataURL: 'https://id.example.org' }, { ProviderName: 'Corp' })));
    const from = (ProviderAttributeValue, more = {}) => ({ ProviderName: 'Google', ProviderAttributeName: 'Cognito_Subject', ProviderAttributeValue, ...more });
    const link = (name, SourceUser) => api.adminLinkProviderForUser({ UserPoolId: poolId, DestinationUser: { ProviderName: 'Cognito', ProviderAttributeValue: name }, SourceUser });
    const identities = async (name) => {
        const { UserAttributes } = await api.adminGetUser({ UserPoolId: poolId, Username: name });
        return JSON.parse(UserAttributes.find((a) => a.Name === 'identities')?.Value ?? '[]');
    };
    await link('anna', from('1'));
    const [entry] = await identities('anna');
    assert.ok(Math.abs(entry.dateCreated - Date.now()) < 60000);
    assert.deepEqual(entry, { userId: '1', providerName: 'Google', providerType: 'Google', issuer: null, primary: false, dateCreated: entry.dateCreated });
    const id = claims((await signIn(mine, 'anna')).AuthenticationResult.IdToken);
    assert.deepEqual(id.identities, [{ ...entry, primary: 'false', dateCreated: String(entry.dateCreated) }]);

    const bad = [
        ['anna', from('1'), INVALID, 'SourceUser is already linked to DestinationUser'],
        ['bert', from('1'), 'AliasExistsException', 'Already found an entry for the provided username.'],
        ['bert', from('7'), INVALID, /^Merging is not currently supported/],
        ['bert', { ...from('x'), ProviderName: 'Cognito' }, INVALID, /^Invalid SourceUser: Cognito users with a username\/password may not/],
        ['bert', { ...from('x'), ProviderName: 'Facebook' }, INVALID, /does not exist for User Pool/],
        ['bert', { ...from('x'), ProviderAttributeName: 'email' }, INVALID, /Cognito_Subject/],
        ['nobody', from('2'), 'UserNotFoundException', 'User does not exist.'],
    ];
    for (const [name, source, error, message] of bad) await refused(link(name, source), error, message);
    await link('anna', { ProviderName: 'Corp', ProviderAttributeName: 'email', ProviderAttributeValue: 'anna@corp.example' });
    for (const n of ['3', '4', '5']) await link('anna', from(n));
    await refused(link('anna', from('6')), 'LimitExceededException');

    // nobody writes it by hand
    await refused(api.adminUpdateUserAttributes({ UserPoolId: poolId, Username: 'bert', UserAttributes: [{ Name: 'identities', Value: '[]' }] }), INVALID, 'user.identities: Attribute cannot be updated.\n');

    const disable = (User) => api.adminDisableProviderForUser({ UserPoolId: poolId, User });
    await disable(from('1'));
    assert.equal((await identities('anna')).length, 4);
    await link('bert', from('1'));
    await refused(disable(from('99')), 'UserNotFoundException');
    await disable(from('7')); // a federated user's own profile
    await refused(api.adminGetUser({ UserPoolId: poolId, Username: 'Google_7' }), 'UserNotFoundException');
    await disable(from('bert', { ProviderName: 'Cognito' }));
    await refused(signIn(mine, 'bert'), 'NotAuthorizedException', 'Incorrect username or password.');
    await api.adminDeleteUser({ UserPoolId: poolId, Username: 'bert' });
    await link('anna', from('1')); // his link went with him
});

test('the signing certificate is a real one, of this pool, and stays', async () => {
    const get = async (id) => (await api.getSigningCertificate({ UserPoolId: id })).Certificate;
    const { poolId } = await addPool(server);
    const [one, same, other] = await Promise.all([get(poolId), get(poolId), get(s.poolId)]);
    assert.equal(one, same);
    assert.notEqual(one, other);
    const certificate = new X509Certificate(Buffer.from(one, 'base64'));
    assert.equal(certificate.subject, `CN=${poolId}`);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(new Date(certificate.validTo) - Date.now() > 9 * 365 * 86400e3);
    await refused(get('us-east-1_nobody123'), MISSING, 'User pool us-east-1_nobody123 does not exist.');
});

test('domains: prefix and custom, whose they are, and that they hold the pool', async () => {
    const { poolId } = await addPool(server);
    const other = await addPool(server);
    const certificate = (region) => ({ CertificateArn: `arn:aws:acm:${region}:000000000000:certificate/2b1e4c1e-0000-4000-8000-000000000000` });
    const create = (Domain, more = {}) => api.createUserPoolDomain({ UserPoolId: poolId, Domain, ...more });
    const bad = [
        ['Shop', {}, /^The domain name contains an invalid character\. Domain names can only contain lower-case letters, numbers, and hyphens\./],
        ['shop-', {}, /invalid character/],
        ['a.b', {}, /invalid character/],
        ['my-aws-shop', {}, 'Domain cannot contain reserved word: aws'],
        ['cognito', {}, 'Domain cannot contain reserved word: cognito'],
        ['shop', { ManagedLoginVersion: 3 }, /1 or 2/],
        ['example.org', { CustomDomainConfig: certificate('us-east-1') }, /^Custom domain is not a valid subdomain/],
        ['shop', { CustomDomainConfig: certificate('us-east-1') }, /^Custom domain is not a valid subdomain/],
        ['auth.example.org', { CustomDomainConfig: certificate('eu-west-1') }, /^The specified SSL certificate doesn't exist/],
        ['x'.repeat(64), {}, `1 validation error detected: Value '${'x'.repeat(64)}' at 'domain' failed to satisfy constraint: Member must have length less than or equal to 63`],
    ];
    for (const [domain, more, message] of bad) await refused(create(domain, more), INVALID, message);

    const { ManagedLoginVersion } = await create('awsome-shop');
    assert.equal(ManagedLoginVersion, 1);
    await refused(create('another-shop'), INVALID, 'User pool already has a domain configured.');
    await refused(api.createUserPoolDomain({ UserPoolId: other.poolId, Domain: 'awsome-shop' }), INVALID, 'Domain already associated with another user pool.');
    assert.equal((await create('auth.example.org', { CustomDomainConfig: certificate('us-east-1') })).CloudFrontDomain, '127.0.0.1');
    const { DomainDescription: seen } = await api.describeUserPoolDomain({ Domain: 'auth.example.org' });
    assert.deepEqual([seen.UserPoolId, seen.AWSAccountId, seen.Domain, seen.Status], [poolId, '000000000000', 'auth.example.org', 'ACTIVE']);
    assert.match(seen.Version, /^\d{14}$/);
    assert.deepEqual((await api.describeUserPoolDomain({ Domain: 'no-such' })).DomainDescription, {});
    const { UserPool } = await api.describeUserPool({ UserPoolId: poolId });
    assert.deepEqual([UserPool.Domain, UserPool.CustomDomain], ['awsome-shop', 'auth.example.org']);

    await api.updateUserPoolDomain({ UserPoolId: poolId, Domain: 'awsome-shop', ManagedLoginVersion: 2 });
    assert.equal((await api.describeUserPoolDomain({ Domain: 'awsome-shop' })).DomainDescription.ManagedLoginVersion, 2);
    const gone = 'No such domain or user pool exists.';
    await refused(api.updateUserPoolDomain({ UserPoolId: poolId, Domain: 'no-such' }), INVALID, gone);
    await refused(api.deleteUserPoolDomain({ UserPoolId: other.poolId, Domain: 'awsome-shop' }), INVALID, gone);
    await refused(api.deleteUserPoolDomain({ UserPoolId: 'us-east-1_nobody123', Domain: 'awsome-shop' }), INVALID, gone);
    await refused(api.deleteUserPool({ UserPoolId: poolId }), INVALID, 'User pool cannot be deleted. It has a domain configured that should be deleted first.');
    for (const Domain of ['awsome-shop', 'auth.example.org']) await api.deleteUserPoolDomain({ UserPoolId: poolId, Domain });
    await api.deleteUserPool({ UserPoolId: poolId });
    await api.createUserPoolDomain({ UserPoolId: other.poolId, Domain: 'awsome-shop' });
    await refused(newest.createUserPoolDomain({ UserPoolId: s.poolId, Domain: 'failover', Routing: { Failover: { SecondaryRegion: 'eu-west-1', PrimaryRoute53HealthCheckId: '00000000-0000-4000-8000-000000000000' } } }), INVALID, /Routing/);
});

test('UI customization: of all clients and of one, sheets and logos that are let in', async () => {
    const { poolId, clientId } = await addPool(server);
    const set = (more) => api.setUICustomization({ UserPoolId: poolId, ...more });
    const get = async (ClientId) => (await api.getUICustomization({ UserPoolId: poolId, ClientId })).UICustomization;
    await refused(set({ CSS: '' }), INVALID, 'There has to be an existing domain associated with this user pool');
    await api.createUserPoolDomain({ UserPoolId: poolId, Domain: 'looks' });
    assert.deepEqual(await get(clientId), {});
    const bad = [
        [{ CSS: '.submitButton-customizable { color: red' }, /Invalid CSS/],
        [{ CSS: '.other { color: red }' }, /\.other/],
        [{ CSS: '@import "x";' }, /Invalid CSS/],
        [{ CSS: '.logo-customizable { background: url(javascript:x) }' }, /javascript:/],
        [{ CSS: '.logo-customizable { color: red }</style><script>' }, /Invalid CSS/],
        [{ CSS: '/* .logo-customizable {}' }, /comment/],
        [{ CSS: 'x'.repeat(131073) }, /less than or equal to 131072/],
        [{ ImageFile: Buffer.from('GIF89a') }, /PNG or JPEG/],
        [{ ImageFile: Buffer.concat([PNG, Buffer.alloc(102400)]) }, /100 KB/],
        [{ ClientId: 'nobody' }, 'User pool client nobody does not exist.'],
    ];
    for (const [input, message] of bad) await refused(set(input), input.ClientId ? MISSING : INVALID, message);
    const CSS = '/* ours */ .submitButton-customizable:hover, .logo-customizable { color: #fff; }';
    const { UICustomization: made } = await set({ CSS, ImageFile: PNG });
    assert.deepEqual([made.ClientId, made.CSS, made.CSSVersion], ['ALL', CSS, '20190128172214']);
    assert.deepEqual(await get(clientId), await get(), 'the client has none of its own');
    const logo = await fetch(made.ImageUrl);
    assert.deepEqual([logo.status, logo.headers.get('content-type'), Buffer.from(await logo.arrayBuffer()).equals(PNG)], [200, 'image/png', true]);
    await set({ ClientId: clientId, CSS: '' });
    assert.equal((await get(clientId)).ClientId, clientId);
    await set({ CSS: '.label-customizable {}' });
    assert.equal((await get('ALL')).ImageUrl, made.ImageUrl, 'the logo stays');
    assert.equal((await server.fetch(`/_gatehouse/logos/${poolId}/${clientId}`)).status, 404);
});

test('managed login branding: one a client, values or settings, updates add', async () => {
    const { poolId, clientId } = await addPool(server);
    const create = (more) => api.createManagedLoginBranding({ UserPoolId: poolId, ClientId: clientId, ...more });
    const asset = (more = {}) => ({ Category: 'FORM_LOGO', ColorMode: 'LIGHT', Extension: 'PNG', Bytes: PNG, ...more });
    const both = 'useCognitoProvidedValues or settings should be specified (but not both)';
    await refused(create({}), INVALID, both);
    await refused(create({ UseCognitoProvidedValues: true, Settings: {} }), INVALID, both);
    await refused(create({ Settings: {}, Assets: [asset({ Extension: 'SVG' })] }), INVALID, /not SVG/);
    await refused(create({ Settings: {}, Assets: [asset({ Bytes: undefined })] }), INVALID, /neither Bytes nor ResourceId/);
    await refused(create({ Settings: {}, Assets: Array(41).fill(asset()) }), INVALID, /at 'assets' failed to satisfy constraint: Member must have length less than or equal to 40$/);
    await refused(create({ ClientId: 'nobody', Settings: {} }), MISSING);
    const { ManagedLoginBranding: made } = await create({ Settings: { a: { b: 1, c: 2 } }, Assets: [asset()] });
    assert.deepEqual(made.Settings, { a: { b: 1, c: 2 } });
    await refused(create({ UseCognitoProvidedValues: true }), 'ManagedLoginBrandingExistsException');
    const id = { UserPoolId: poolId, ManagedLoginBrandingId: made.ManagedLoginBrandingId };
    await api.updateManagedLoginBranding({ ...id, Settings: { a: { c: 3 } }, Assets: [asset({ ColorMode: 'DARK' })] });
    const { ManagedLoginBranding: read } = await api.describeManagedLoginBrandingByClient({ UserPoolId: poolId, ClientId: clientId });
    assert.deepEqual(read.Settings, { a: { b: 1, c: 3 } });
    assert.deepEqual(read.Assets.map((a) => a.ColorMode), ['LIGHT', 'DARK']);
    assert.ok(Buffer.from(read.Assets[0].Bytes).equals(PNG));
    await api.updateManagedLoginBranding({ ...id, UseCognitoProvidedValues: true });
    const { ManagedLoginBranding: plain } = await api.describeManagedLoginBranding(id);
    assert.deepEqual([plain.UseCognitoProvidedValues, plain.Settings], [true, undefined]);
    await refused(api.updateManagedLoginBranding({ UserPoolId: poolId }), INVALID, /Value null at 'managedLoginBrandingId'/);
    await refused(api.describeManagedLoginBranding({ ...id, ManagedLoginBrandingId: 'x' }), INVALID, /regular expression pattern/);
    await refused(api.describeManagedLoginBranding({ ...id, ReturnMergedResources: true }), INVALID, /ReturnMergedResources/);
    await api.deleteManagedLoginBranding(id);
    await refused(api.describeManagedLoginBranding(id), MISSING);
    await create({ UseCognitoProvidedValues: true });
});

test('terms: by client and name, five operations, gone with the client', async () => {
    const { poolId, clientId } = await addPool(server);
    const Links = { 'cognito:default': 'https://example.org/terms', 'cognito:french': 'https://example.org/fr' };
    const terms = { UserPoolId: poolId, ClientId: clientId, TermsName: 'terms-of-use', TermsSource: 'LINK', Enforcement: 'NONE', Links };
    await refused(api.createTerms({ ...terms, Links: { 'cognito:french': 'https://x.example' } }), INVALID, /cognito:default/);
    await refused(api.createTerms({ ...terms, TermsName: 'rules' }), INVALID, /regular expression pattern/);
    const { Terms: made } = await api.createTerms(terms);
    assert.deepEqual(made.Links, Links);
    await refused(api.createTerms(terms), 'TermsExistsException', 'Terms document names must be unique to the app client.');
    const { Terms: second } = await api.createTerms({ ...terms, TermsName: 'privacy-policy' });
    await refused(api.updateTerms({ UserPoolId: poolId, TermsId: second.TermsId, TermsName: 'terms-of-use' }), 'TermsExistsException');
    await api.updateTerms({ UserPoolId: poolId, TermsId: made.TermsId, Links: { 'cognito:default': 'https://example.org/new' } });
    const byClient = (TermsName) => newest.describeTermsByClient({ UserPoolId: poolId, ClientId: clientId, TermsName });
    assert.deepEqual((await byClient('terms-of-use')).Terms.Links, { 'cognito:default': 'https://example.org/new' });
    assert.equal((await api.describeTerms({ UserPoolId: poolId, TermsId: second.TermsId })).Terms.TermsName, 'privacy-policy');
    const first = await api.listTerms({ UserPoolId: poolId, MaxResults: 1 });
    const rest = await api.listTerms({ UserPoolId: poolId, MaxResults: 1, NextToken: first.NextToken });
    assert.deepEqual([...first.Terms, ...rest.Terms].map((x) => x.TermsName).sort(), ['privacy-policy', 'terms-of-use']);
    await api.deleteTerms({ UserPoolId: poolId, TermsId: second.TermsId });
    await refused(byClient('privacy-policy'), MISSING);
    await api.deleteUserPoolClient({ UserPoolId: poolId, ClientId: clientId });
    assert.deepEqual((await api.listTerms({ UserPoolId: poolId })).Terms, []);
});

test('replicas: the pool is its own primary', async () => {
    const pool = { UserPoolId: s.poolId };
    assert.deepEqual((await newest.listUserPoolReplicas(pool)).UserPoolReplicas,
        [{ RegionName: 'us-east-1', Role: 'PRIMARY', Status: 'ACTIVE', UserPoolArn: s.pool.Arn }]);
    await refused(newest.createUserPoolReplica({ ...pool, RegionName: 'eu-west-1' }), 'OperationNotEnabledException');
    await refused(newest.updateUserPoolReplica({ ...pool, RegionName: 'eu-west-1', Status: 'ACTIVE' }), MISSING);
    await refused(newest.deleteUserPoolReplica({ ...pool, RegionName: 'eu-west-1' }), MISSING);
});

const limit = (Category) => ({ LimitDefinition: { LimitClass: 'API_CATEGORY', Attributes: { Category } } });
const burst = async (n, fn) => (await Promise.all(Array.from({ length: n }, () => fn().then(() => 'ok', (e) => `${e.name}: ${e.message}`))));

test('provisioned limits: stored, enforced by category, kept over a restart', async (t) => {
    const own = await setUp(t);
    const get = async (Category) => (await raw(own.server).getProvisionedLimit(limit(Category))).Limit;
    assert.deepEqual(await get('UserAuthentication'), { ...limit('UserAuthentication'), ProvisionedLimitValue: 12000, FreeLimitValue: 12000 });
    await refused(get('Nothing'), INVALID, /Category/);
    await refused(raw(own.server).updateProvisionedLimit({ ...limit('UserPoolRead'), RequestedLimitValue: 0 }), INVALID, /at least 1/);
    await refused(raw(own.server).updateProvisionedLimit({ ...limit('UserPoolRead'), RequestedLimitValue: 2000000 }), 'ServiceQuotaExceededException');
    await raw(own.server).updateProvisionedLimit({ ...limit('UserPoolRead'), RequestedLimitValue: 3 });
    const describe = () => own.api.describeUserPool({ UserPoolId: own.poolId });
    let outcomes = await burst(12, describe);
    assert.ok(outcomes.filter((o) => o === 'TooManyRequestsException: Rate exceeded').length >= 6, outcomes.join());
    assert.ok(outcomes.includes('ok'));
    await own.api.listUserPoolClients({ UserPoolId: own.poolId, MaxResults: 1 }); // another category
    await own.server.restart();
    const again = raw(own.server);
    assert.equal((await again.getProvisionedLimit(limit('UserPoolRead'))).Limit.ProvisionedLimitValue, 3);
    outcomes = await burst(12, () => again.describeUserPool({ UserPoolId: own.poolId }));
    assert.ok(outcomes.filter((o) => o === 'TooManyRequestsException: Rate exceeded').length >= 6, outcomes.join());
});

test('provisioned limits: with --limits aws they are Cognito\'s, also for calls nobody signs', async (t) => {
    const own = await setUp(t, { args: ['--limits', 'aws'] });
    assert.equal((await raw(own.server).getProvisionedLimit(limit('UserCreation'))).Limit.FreeLimitValue, 50);
    await refused(raw(own.server).updateProvisionedLimit({ ...limit('UserCreation'), RequestedLimitValue: 49 }), INVALID, /at least 50/);
    const outcomes = await burst(80, () => own.api.confirmSignUp({ ClientId: own.clientId, Username: 'nobody', ConfirmationCode: '1' }));
    assert.ok(outcomes.includes('TooManyRequestsException: Rate exceeded'), [...new Set(outcomes)].join());
});

test('log delivery: who may be told what, and where', async () => {
    const { poolId } = await addPool(server);
    const group = { CloudWatchLogsConfiguration: { LogGroupArn: 'arn:aws:logs:us-east-1:000000000000:log-group:mine' } };
    const set = (...LogConfigurations) => api.setLogDeliveryConfiguration({ UserPoolId: poolId, LogConfigurations });
    const get = async () => (await api.getLogDeliveryConfiguration({ UserPoolId: poolId })).LogDeliveryConfiguration;
    assert.deepEqual(await get(), { UserPoolId: poolId, LogConfigurations: [] });
    const notes = { LogLevel: 'ERROR', EventSource: 'userNotification', ...group }, events = { LogLevel: 'INFO', EventSource: 'userAuthEvents', ...group };
    await refused(set({ ...notes, LogLevel: 'INFO' }), INVALID, /LogLevel/);
    await refused(set(notes, notes), INVALID, /more than once/);
    await refused(set(notes, notes, notes), INVALID, /at 'logConfigurations' failed to satisfy constraint: Member must have length less than or equal to 2$/);
    await refused(set({ ...notes, EventSource: 'x' }), INVALID, /at 'logConfigurations\.1\.member\.eventSource' failed to satisfy constraint: Member must satisfy enum value set: \[/);
    await refused(set({ LogLevel: 'ERROR', EventSource: 'userNotification' }), INVALID, /destination/);
    await refused(set({ LogLevel: 'INFO', EventSource: 'userAuthEvents', S3Configuration: { BucketArn: 'arn:aws:s3:::b' } }), INVALID, /S3Configuration/);
    await refused(set(events), 'FeatureUnavailableInTierException');
    await set(notes);
    assert.deepEqual((await get()).LogConfigurations, [notes]);
    await api.updateUserPool({ UserPoolId: poolId, UserPoolTier: 'PLUS', AutoVerifiedAttributes: ['email'] });
    await set(notes, events);
    assert.equal((await get()).LogConfigurations.length, 2);
    await set();
    assert.deepEqual((await get()).LogConfigurations, []);
});

test('tags at creation and update, client types, deletion protection', async () => {
    const { UserPool } = await api.createUserPool({ PoolName: 'tagged', UserPoolTags: { team: 'red' }, DeletionProtection: 'ACTIVE' });
    const pool = { UserPoolId: UserPool.Id };
    const tags = async () => (await api.listTagsForResource({ ResourceArn: UserPool.Arn })).Tags;
    assert.deepEqual(await tags(), { team: 'red' });
    await api.updateUserPool({ ...pool, DeletionProtection: 'ACTIVE' });
    assert.deepEqual(await tags(), { team: 'red' }, 'left out, they stay');
    await api.updateUserPool({ ...pool, UserPoolTags: { team: 'blue', cost: '1' }, DeletionProtection: 'ACTIVE' });
    assert.deepEqual(await tags(), { cost: '1', team: 'blue' });
    await refused(api.createUserPool({ PoolName: 'x', UserPoolTags: { k: 'v'.repeat(257) } }), INVALID, /userPoolTags/);
    await refused(api.deleteUserPool(pool), INVALID, /^The user pool cannot be deleted because deletion protection is activated\./);
    await api.updateUserPool({ ...pool });
    await api.createUserPoolClient({ ...pool, ClientName: 'app' });
    const list = async (ClientType) => (await newest.listUserPoolClients({ ...pool, ClientType })).UserPoolClients.length;
    assert.deepEqual([await list(), await list('REGULAR'), await list('DCR')], [1, 1, 0]);
    await refused(list('OTHER'), INVALID, /clientType/);
    await api.deleteUserPool(pool);
});
