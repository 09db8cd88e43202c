/* Where a request comes from. */
#include "core/base64.h"
#include "core/digest.h"
#include "identity/protection/event.h"

/* Amplify's library sends base64 of {"payload": "{\"contextData\": {...}, ...}", "signature", "version"}. Nobody
 * vouches for it, so it is used for what it is good for: to see that a device is another. */
static void read_context_data(struct call *call, struct str encoded, struct whence *out)
{
    enum { LONGEST = 65536 };
    struct str text, why;
    if (!encoded.len || encoded.len > LONGEST || !base64_decode(call->arena, encoded, &text))
        return;
    const json_t *sent = json_parse(call->arena, text, &why);
    struct str payload = json_str(sent, "payload");
    const json_t *data = payload.ptr ? json_object_get(json_parse(call->arena, payload, &why), "contextData") : NULL;
    static const char *const of_device[] = { "DeviceId", "DeviceFingerprint" };
    for (size_t i = 0; data && !out->print.ptr && i < COUNT(of_device); i++) {
        struct str value = json_str(data, of_device[i]);
        uint8_t hash[SHA256_BYTES];
        if (!value.len)
            continue;
        digest_sha256(value, hash);
        out->print = base64url_encode(call->arena, digest_str(hash, 12));
    }
    struct str zone = json_str(data, "ClientTimezone");
    if (zone.len && zone.len <= 64)
        out->zone = zone;
}

struct whence whence_of_user(struct call *call, const struct client *client, const struct idp_UserContextDataType *given)
{
    struct whence whence = { .ip = call->source_ip, .agent = call->user_agent };
    if (!given)
        return whence;
    bool may_say = client->secret.ptr && client->doc->enable_propagate_additional_user_context_data.value;
    if (given->ip_address.len && may_say)
        whence.ip = given->ip_address;
    read_context_data(call, given->encoded_data, &whence);
    return whence;
}

static bool is_header(struct str name, const char *wanted)
{
    struct str other = str_of(wanted);
    return name.len == other.len && strncasecmp(name.ptr, other.ptr, name.len) == 0;
}

struct whence whence_of_admin(struct call *call, const struct idp_ContextDataType *given)
{
    struct whence whence = { .ip = STR_NONE };
    if (!given)
        return whence;
    whence.ip = given->ip_address;
    for (size_t i = 0; i < given->http_headers.n; i++)
        if (is_header(given->http_headers.items[i]->header_name, "User-Agent"))
            whence.agent = given->http_headers.items[i]->header_value;
    read_context_data(call, given->encoded_data, &whence);
    return whence;
}

/* Versions change under a device's feet. */
struct str agent_without_numbers(struct arena *arena, struct str agent)
{
    enum { LONGEST = 256 };
    struct strbuf out = strbuf_in(arena, 128);
    for (size_t i = 0; i < agent.len && i < LONGEST; i++)
        if ((agent.ptr[i] < '0' || agent.ptr[i] > '9') && agent.ptr[i] != '.')
            strbuf_char(&out, agent.ptr[i]);
    return agent.len ? strbuf_view(&out) : STR_NONE;
}

/* In this order: Edge says that it is Chrome, Chrome that it is Safari. */
static const struct {
    const char *mark, *name;
} browsers[] = { { "Edg/", "Edge" },      { "OPR/", "Opera" },      { "Firefox/", "Firefox" },
                 { "Chrome/", "Chrome" }, { "Version/", "Safari" }, { "Safari/", "Safari" } },
  systems[] = { { "Windows", "Windows" }, { "Android", "Android" }, { "iPhone", "iPhone" }, { "iPad", "iPad" },
                { "Mac OS X", "macOS" },  { "Linux", "Linux" } };

struct str agent_device(struct arena *arena, struct str agent)
{
    const char *system = NULL;
    for (size_t i = 0; i < COUNT(systems) && !system; i++)
        if (str_find_str(agent, str_of(systems[i].mark)) >= 0)
            system = systems[i].name;
    for (size_t i = 0; i < COUNT(browsers); i++) {
        ptrdiff_t at = str_find_str(agent, str_of(browsers[i].mark));
        if (at < 0)
            continue;
        struct str rest = str_from(agent, (size_t)at + strlen(browsers[i].mark)), version = rest;
        version.len = 0;
        while (version.len < rest.len && rest.ptr[version.len] >= '0' && rest.ptr[version.len] <= '9')
            version.len++;
        return str_printf(arena, "%s %.*s%s%s", browsers[i].name, STR_FMT(version), system ? ", " : "",
                          system ? system : "");
    }
    struct str rest = agent, first = STR_NONE;
    str_split(&rest, ' ', &first);
    return str_sub(first, 0, first.len < 64 ? first.len : 64);
}
