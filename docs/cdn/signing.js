// For nginx with njs: what the `secure_link` module compares. Installed beside nginx.conf; see docs/cdn.md.
import crypto from 'crypto';

// HMAC-SHA256 of the address from the path up to "&signature=", in base64url: what Earshot signs.
function expected(r) {
    const signed = `${r.uri}?expires=${r.variables.arg_expires}`;
    return crypto.createHmac('sha256', r.variables.earshot_cdn_secret).update(signed).digest('base64url');
}

// secure_link compares MD5 sums, so it is given that of the signature that came; of the expected one it makes its own.
// That changes nothing about the signature, and how long the comparison takes tells nothing about the HMAC.
function presented(r) {
    return crypto.createHash('md5').update(r.variables.arg_signature || '').digest('base64url');
}

export default { expected, presented };
