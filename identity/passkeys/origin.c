/* Whose page was it? Relying party ids, origins, client data. */
#include "core/base64.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/uri.h"
#include "identity/passkeys/webauthn.h"

bool client_data_read(struct arena *arena, struct str json, struct client_data *out)
{
    if (!json.ptr || json.len > WEBAUTHN_OBJECT_MOST)
        return false;
    const json_t *data = json_parse(arena, json, NULL);
    const json_t *cross = json_object_get(data, "crossOrigin");
    *out = (struct client_data){
        .type = json_str(data, "type"),
        .origin = json_str(data, "origin"),
        .cross_origin = json_is_true(cross),
    };
    return json_is_object(data) && out->type.ptr && out->origin.ptr && (!cross || json_is_boolean(cross)) &&
           base64url_decode(arena, json_str(data, "challenge"), &out->challenge) && out->challenge.len > 0;
}

bool webauthn_is_rp_id(struct str text)
{
    struct str rest = text, label;
    struct ip ip;
    if (!text.len || text.len > 127 || ip_parse(text, &ip))
        return false;
    while (str_split(&rest, '.', &label)) {
        if (!label.len || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++) {
            char c = label.ptr[i];
            if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
                return false;
        }
    }
    /* "1.2.3", "0x7f.1": browsers read a name whose last label is a number as an address */
    return !(label.ptr[0] >= '0' && label.ptr[0] <= '9');
}

static bool is_below(struct str host, struct str name)
{
    return str_eq(host, name) ||
           (host.len > name.len && str_ends(host, name) && host.ptr[host.len - name.len - 1] == '.');
}

static bool is_listed(struct str origin, struct str list)
{
    struct str one;
    while (str_split(&list, ',', &one))
        if (str_eq(str_trim(one), origin))
            return origin.len > 0;
    return false;
}

bool webauthn_origin_is_allowed(struct str origin, const struct webauthn_rule *rule)
{
    static const struct str https = STR_INIT("https://"), http = STR_INIT("http://"),
                            localhost = STR_INIT("localhost");
    if (is_listed(origin, rule->more_origins))
        return true;
    bool secure = str_starts(origin, https);
    if (!secure && !str_starts(origin, http))
        return false;
    /* a browser writes scheme, host and perhaps a port: whatever else is in it, is no origin */
    struct str host = str_from(origin, secure ? https.len : http.len);
    ptrdiff_t colon = str_find(host, ':');
    if (colon >= 0) {
        int64_t port;
        struct str digits = str_from(host, (size_t)colon + 1);
        if (!digits.len || digits.len > 5 || digits.ptr[0] < '1' || !str_i64(digits, &port) || port > 65535)
            return false;
        host = str_sub(host, 0, (size_t)colon);
    }
    return webauthn_is_rp_id(host) && is_below(host, rule->rp_id) && (secure || is_below(host, localhost));
}
