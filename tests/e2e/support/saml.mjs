// An identity provider of one's own: metadata, and responses signed as XML Signature has it. What is written here is already in
// exclusive canonical form, so that a digest is one of the text itself.
import crypto from 'node:crypto';

const DSIG = 'http://www.w3.org/2000/09/xmldsig#', MORE = 'http://www.w3.org/2001/04/xmldsig-more#', EXC = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const XENC = 'http://www.w3.org/2001/04/xmlenc#';
const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion', SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol';
export const AWS = 'https://signin.aws.amazon.com/saml', ATTRIBUTE = 'https://aws.amazon.com/SAML/Attributes/';
export const algorithms = {
    'rsa-sha256': { uri: `${MORE}rsa-sha256`, digest: 'http://www.w3.org/2001/04/xmlenc#sha256', hash: 'sha256' },
    'rsa-sha512': { uri: `${MORE}rsa-sha512`, digest: 'http://www.w3.org/2001/04/xmlenc#sha512', hash: 'sha512' },
    'rsa-sha1': { uri: `${DSIG}rsa-sha1`, digest: `${DSIG}sha1`, hash: 'sha1' },
    'ecdsa-sha256': { uri: `${MORE}ecdsa-sha256`, digest: 'http://www.w3.org/2001/04/xmlenc#sha256', hash: 'sha256' },
};
const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z');
export const base64 = (xml) => Buffer.from(xml).toString('base64');
const escaped = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

// A SAML provider with a key and a certificate: { key, cert } in PEM.
export class Provider {
    constructor({ key, cert }, entity = 'https://idp.example.org/metadata') {
        Object.assign(this, { key, cert, entity });
        this.der = cert.replace(/-----[^-]+-----|\s/g, '');
    }
    metadata({ entity = this.entity, der = this.der, more = '' } = {}) {
        return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entity}"${more}><md:IDPSSODescriptor protocolSupportEnumeration="${SAMLP}"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="${DSIG}"><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.org/sso"></md:SingleSignOnService></md:IDPSSODescriptor></md:EntityDescriptor>`.padEnd(1100, ' ');
    }
    // of the text of an element that begins with its start tag and is in canonical form
    signature(id, text, { alg = 'rsa-sha256', key = this.key, transforms, keyInfo = '' } = {}) {
        const { uri, digest, hash } = algorithms[alg];
        const value = crypto.createHash(hash).update(text).digest('base64');
        const how = transforms ?? `<ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform><ds:Transform Algorithm="${EXC}"></ds:Transform>`;
        const info = `<ds:SignedInfo xmlns:ds="${DSIG}"><ds:CanonicalizationMethod Algorithm="${EXC}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${uri}"></ds:SignatureMethod><ds:Reference URI="#${id}"><ds:Transforms>${how}</ds:Transforms><ds:DigestMethod Algorithm="${digest}"></ds:DigestMethod><ds:DigestValue>${value}</ds:DigestValue></ds:Reference></ds:SignedInfo>`;
        const signed = crypto.sign(hash, Buffer.from(info), { key, dsaEncoding: 'ieee-p1363' }).toString('base64');
        return `<ds:Signature xmlns:ds="${DSIG}">${info.replace(` xmlns:ds="${DSIG}"`, '')}<ds:SignatureValue>${signed}</ds:SignatureValue>${keyInfo}</ds:Signature>`;
    }
    // The assertion without a signature; `mark` is where one goes.
    assertion({ now, id = `_${crypto.randomUUID()}`, subject = 'ada', format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', issuer = this.entity, recipient = AWS, audience = AWS, attributes = {}, notBefore = -60, notAfter = 300, issued = 0, confirmation = '', session = '', conditions, statement, name } = {}) {
        const at = (s) => iso(now + s * 1000);
        const list = Object.entries(attributes).flatMap(([key, values]) => `<saml:Attribute Name="${key}">${[values].flat().map((v) => `<saml:AttributeValue>${typeof v === 'object' ? v.xml : escaped(v)}</saml:AttributeValue>`).join('')}</saml:Attribute>`).join('');
        const head = `<saml:Assertion xmlns:saml="${SAML}" ID="${id}" IssueInstant="${at(issued)}" Version="2.0"><saml:Issuer>${issuer}</saml:Issuer>`;
        const body = `<saml:Subject>${name ?? `<saml:NameID Format="${format}">${subject}</saml:NameID>`}<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${confirmation} NotOnOrAfter="${at(notAfter)}" Recipient="${recipient}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>${conditions ?? `<saml:Conditions NotBefore="${at(notBefore)}" NotOnOrAfter="${at(notAfter)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`}${statement ?? `<saml:AuthnStatement AuthnInstant="${at(issued)}" SessionIndex="_s1"${session}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`}<saml:AttributeStatement>${list}</saml:AttributeStatement></saml:Assertion>`;
        return { id, head, body, text: head + body };
    }
    // The assertion with its signature, as it is sent.
    signed(assertion, options) {
        return assertion.head + this.signature(assertion.id, assertion.text, options) + assertion.body;
    }
    // The assertion for a key only: RSA-OAEP, and AES in GCM or CBC.
    encrypted(text, publicKey, { cipher = 'aes-256-gcm', oaep = 'sha1', wrap = `${XENC}rsa-oaep-mgf1p` } = {}) {
        const gcm = cipher.endsWith('gcm'), key = crypto.randomBytes(32), iv = crypto.randomBytes(gcm ? 12 : 16);
        const block = crypto.createCipheriv(cipher, key, iv);
        const sealed = Buffer.concat([iv, block.update(text), block.final(), gcm ? block.getAuthTag() : Buffer.alloc(0)]).toString('base64');
        const padding = wrap.endsWith('rsa-1_5') ? { padding: crypto.constants.RSA_PKCS1_PADDING } : { oaepHash: oaep };
        const wrapped = crypto.publicEncrypt({ key: publicKey, ...padding }, key).toString('base64');
        const name = gcm ? 'http://www.w3.org/2009/xmlenc11#aes256-gcm' : `${XENC}aes256-cbc`;
        return `<saml:EncryptedAssertion xmlns:saml="${SAML}"><xenc:EncryptedData xmlns:xenc="${XENC}" Type="${XENC}Element"><xenc:EncryptionMethod Algorithm="${name}"></xenc:EncryptionMethod><ds:KeyInfo xmlns:ds="${DSIG}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${wrap}"></xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>${wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>${sealed}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`;
    }
    // sign: what is signed, 'assertion', 'response', 'both' or 'none'.
    response(options = {}) {
        const { now, sign = 'assertion', destination = AWS, status = 'Success', issuer = this.entity, inner, extra = '', signing } = options;
        const id = `_${crypto.randomUUID()}`, one = this.assertion(options);
        const content = inner ?? (sign === 'assertion' || sign === 'both' ? this.signed(one, signing) : one.text);
        const head = `<samlp:Response xmlns:samlp="${SAMLP}" Destination="${destination}" ID="${id}" IssueInstant="${iso(now)}" Version="2.0"><saml:Issuer xmlns:saml="${SAML}">${issuer}</saml:Issuer>`;
        const body = `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${status}"></samlp:StatusCode></samlp:Status>${extra}${content}</samlp:Response>`;
        return head + (sign === 'response' || sign === 'both' ? this.signature(id, head + body, signing) : '') + body;
    }
}
