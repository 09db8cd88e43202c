#include "identity/sts/session.h"

#include "core/id.h"
#include "core/json.h"
#include "identity/key_id.h"

static struct str place(struct arena *arena, struct str key_id)
{
    return str_concat(arena, STR("sts/session/"), key_id);
}

static json_t *strings(const struct str *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_of(items[i]));
    return list;
}

static const struct str *read_strings(struct arena *arena, json_t *list, size_t *n)
{
    *n = json_array_size(list);
    struct str *items = ARENA_ARRAY(arena, struct str, *n);
    for (size_t i = 0; i < *n; i++)
        items[i] = json_value_str(json_array_get(list, i));
    return items;
}

/* {"saml:sub":["ada"]} */
static json_t *keys_json(struct arena *arena, const struct session *session)
{
    json_t *keys = json_object();
    for (size_t i = 0; i < session->n_keys; i++)
        json_object_set_new(keys, str_c(arena, session->keys[i].name),
                            strings(session->keys[i].values, session->keys[i].n));
    return keys;
}

static const struct policy_key *read_keys(struct arena *arena, json_t *keys, size_t *n)
{
    struct policy_key *items = ARENA_ARRAY(arena, struct policy_key, json_object_size(keys));
    const char *name;
    json_t *values;
    *n = 0;
    json_object_foreach(keys, name, values) {
        struct policy_key *key = &items[(*n)++];
        key->name = str_of(name);
        key->values = read_strings(arena, values, &key->n);
    }
    return items;
}

static struct str sealed(const struct sealer *sealer, struct arena *arena, const struct session *session, json_t *doc)
{
    return seal(sealer, arena, place(arena, session->key_id), json_print(arena, doc));
}

/* "Specify a minimum size": what is missing is filled up. Four characters of the token hold three of these. */
static struct str filled_up(const struct sealer *sealer, struct arena *arena, const struct session *session,
                            json_t *doc, struct str token)
{
    if ((int64_t)token.len >= session->token_size)
        return token;
    size_t missing = ((size_t)session->token_size - token.len) * 3 / 4 + 1;
    char *filling = arena_alloc(arena, missing, 1);
    memset(filling, '-', missing);
    json_set_str(doc, "-", (struct str){ filling, missing });
    return sealed(sealer, arena, session, doc);
}

struct str session_issue(const struct env *env, const struct sealer *sealer, struct arena *arena,
                         struct session *session)
{
    session->key_id = key_id_new(env, sealer, arena, "ASIA", session->account);
    session->secret = id_random(env, arena, 40, ID_SECRET);
    json_t *doc = json_own(arena, json_object());
    json_set_i64(doc, "k", session->kind);
    json_set_str(doc, "s", session->secret);
    json_set_str(doc, "a", session->account);
    json_set_str(doc, "o", session->owner);
    json_set_str(doc, "n", session->name);
    json_set_i64(doc, "i", session->issued_s);
    json_set_i64(doc, "e", session->expires_s);
    if (session->mfa_s)
        json_set_i64(doc, "m", session->mfa_s);
    json_set_str(doc, "k0", session->parent);
    json_set_str(doc, "p", session->policy);
    json_set_str(doc, "si", session->source_identity);
    json_set_str(doc, "f", session->provider);
    if (session->n_policy_arns)
        json_object_set_new(doc, "pa", strings(session->policy_arns, session->n_policy_arns));
    if (session->n_transitive)
        json_object_set_new(doc, "tt", strings(session->transitive, session->n_transitive));
    if (session->n_keys)
        json_object_set_new(doc, "c", keys_json(arena, session));
    json_t *tags = json_object();
    for (size_t i = 0; i < session->tags.n; i++)
        json_object_set_new(tags, str_c(arena, session->tags.items[i].key), json_of(session->tags.items[i].value));
    if (session->tags.n)
        json_object_set_new(doc, "t", tags);
    else
        json_decref(tags);
    session->token = filled_up(sealer, arena, session, doc, sealed(sealer, arena, session, doc));
    return session->token;
}

bool session_open(const struct sealer *sealer, struct arena *arena, struct str key_id, struct str token,
                  struct session *out)
{
    struct str text, why;
    if (!unseal(sealer, arena, place(arena, key_id), token, &text))
        return false;
    json_t *doc = json_parse(arena, text, &why);
    if (!doc)
        return false;
    *out = (struct session){
        .kind = (enum session_kind)json_i64(doc, "k", 0),
        .key_id = key_id,
        .secret = json_str(doc, "s"),
        .account = json_str(doc, "a"),
        .owner = json_str(doc, "o"),
        .name = json_str(doc, "n"),
        .issued_s = json_i64(doc, "i", 0),
        .expires_s = json_i64(doc, "e", 0),
        .mfa_s = json_i64(doc, "m", 0),
        .parent = json_str(doc, "k0"),
        .policy = json_str(doc, "p"),
        .source_identity = json_str(doc, "si"),
        .provider = json_str(doc, "f"),
    };
    out->policy_arns = read_strings(arena, json_object_get(doc, "pa"), &out->n_policy_arns);
    out->transitive = read_strings(arena, json_object_get(doc, "tt"), &out->n_transitive);
    out->keys = read_keys(arena, json_object_get(doc, "c"), &out->n_keys);
    json_t *tags = json_object_get(doc, "t"), *value;
    struct tag *items = ARENA_ARRAY(arena, struct tag, json_object_size(tags));
    const char *name;
    json_object_foreach(tags, name, value)
        items[out->tags.n++] = (struct tag){ str_of(name), json_value_str(value) };
    out->tags.items = items;
    return true;
}
