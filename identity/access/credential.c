#include "core/id.h"
#include "identity/key_id.h"
#include "identity/access/principals.h"
#include "identity/store/access_key.h"
#include "identity/store/iam_entity.h"
#include "identity/sts/session.h"
#include "policy/arn.h"

static void become_root(struct arena *arena, struct str account, struct str key_id, struct credential *out)
{
    out->root = true;
    out->owner = account;
    out->principal = (struct principal){
        .kind = PRINCIPAL_ROOT,
        .account = account,
        .arn = str_printf(arena, "arn:aws:iam::%.*s:root", STR_FMT(account)),
        .id = account,
        .access_key_id = key_id,
    };
}

static void become_user(const struct subject *subject, struct str key_id, struct credential *out)
{
    out->owner = subject->id;
    out->policies = (struct policy_layers){ .identity = subject->identity, .boundary = subject->boundary };
    out->tags = subject->tags.items;
    out->n_tags = subject->tags.n;
    out->principal = (struct principal){
        .kind = PRINCIPAL_USER,
        .account = subject->account,
        .arn = subject->arn,
        .id = subject->id,
        .name = subject->name,
        .access_key_id = key_id,
    };
}

static enum credential_verdict long_term(struct identity *identity, struct arena *arena, struct str key_id,
                                         struct str token, struct credential *out)
{
    struct str owner;
    bool active;
    if (!principals_key(identity->principals, arena, key_id, &out->secret, &owner, &active))
        return CREDENTIAL_UNKNOWN;
    const struct subject *subject = principals_find(identity->principals, arena, owner);
    if (!subject)
        return CREDENTIAL_UNKNOWN;
    if (token.len)
        return CREDENTIAL_BAD_TOKEN; /* a token of another key: this one has none */
    if (!active)
        return CREDENTIAL_INACTIVE;
    if (subject->root)
        become_root(arena, subject->account, key_id, out);
    else
        become_user(subject, key_id, out);
    return CREDENTIAL_OK;
}

/* --- sessions --- */

static void let_go(void *set)
{
    policy_set_free(set);
}

/* "The resulting session's permissions are the intersection of …": what was passed, compiled. */
static const struct policy_set *session_policies(struct identity *identity, struct arena *arena,
                                                 const struct session *session)
{
    bool always = session->kind == SESSION_FEDERATED; /* none passed: nothing is allowed */
    if (!session->policy.ptr && session->n_policy_arns == 0 && !always)
        return NULL;
    struct policy_set *set = policy_set_new();
    struct str why;
    arena_defer(arena, let_go, set);
    /* What does not compile any more allows nothing. */
    if (session->policy.ptr)
        policy_set_add(set, POLICY_IDENTITY, STR("session"), session->policy, arena, &why);
    for (size_t i = 0; i < session->n_policy_arns; i++) {
        struct str arn = session->policy_arns[i], document = principals_document(identity->principals, arena, arn);
        if (document.ptr)
            policy_set_add(set, POLICY_IDENTITY, arn, document, arena, &why);
    }
    return set;
}

/* "Session tags override role tags with the same key", whatever its case. */
static void overlay_tags(struct arena *arena, struct tags under, struct tags over, struct credential *out)
{
    struct tag *items = ARENA_ARRAY(arena, struct tag, under.n + over.n);
    size_t n = 0;
    for (size_t i = 0; i < over.n; i++)
        items[n++] = over.items[i];
    for (size_t i = 0; i < under.n; i++) {
        bool covered = false;
        for (size_t o = 0; o < over.n; o++)
            covered |= str_eq_nocase(over.items[o].key, under.items[i].key);
        if (!covered)
            items[n++] = under.items[i];
    }
    out->tags = items;
    out->n_tags = n;
}

static struct str value_of(const struct session *session, const char *key)
{
    const struct policy_key *found = policy_context_find(session->keys, session->n_keys, str_of(key));
    return found && found->n ? found->values[0] : STR_NONE;
}

static void become_session(struct arena *arena, const struct session *session, const struct subject *subject,
                           struct credential *out)
{
    struct principal *principal = &out->principal;
    struct str name = session->name, account = session->account;
    if (session->kind == SESSION_ROLE && subject) { /* a role that is gone has no sessions: temporary() saw to it */
        principal->kind = PRINCIPAL_ROLE_SESSION;
        principal->arn = str_printf(arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_FMT(account),
                                    STR_FMT(subject->name), STR_FMT(name));
        principal->id = str_printf(arena, "%.*s:%.*s", STR_FMT(subject->id), STR_FMT(name));
        out->role_arn = subject->arn;
    } else if (session->kind == SESSION_FEDERATED) {
        if (principal->kind == PRINCIPAL_USER)
            out->maker_arn = principal->arn;
        principal->kind = PRINCIPAL_FEDERATED;
        principal->name = name;
        principal->arn = str_printf(arena, "arn:aws:sts::%.*s:federated-user/%.*s", STR_FMT(account), STR_FMT(name));
        principal->id = str_printf(arena, "%.*s:%.*s", STR_FMT(account), STR_FMT(name));
    }
    principal->session_name = name;
    principal->token_issued_s = (double)session->issued_s;
    principal->cognito_identity = value_of(session, "cognito-identity.amazonaws.com:sub");
    principal->cognito_pool = value_of(session, "cognito-identity.amazonaws.com:aud");
    overlay_tags(arena, (struct tags){ out->n_tags, out->tags }, session->tags, out);
    out->transitive = session->transitive;
    out->n_transitive = session->n_transitive;
    out->temporary = true;
    out->mfa = session->mfa_s != 0;
    out->mfa_s = session->mfa_s;
    out->expires_s = session->expires_s;
    out->keys = session->keys;
    out->n_keys = session->n_keys;
    out->source_identity = session->source_identity;
    out->federated_provider = session->provider;
}

/* "Deleting or disabling the user's key" ends what was lent from it. */
static bool parent_lives(struct identity *identity, struct arena *arena, const struct session *session)
{
    struct str secret, owner;
    bool active;
    return !session->parent.ptr ||
           (principals_key(identity->principals, arena, session->parent, &secret, &owner, &active) && active &&
            str_eq(owner, session->owner));
}

static enum credential_verdict temporary(struct identity *identity, struct arena *arena, struct str key_id,
                                         struct str token, int64_t now_s, struct credential *out)
{
    struct session session;
    if (!token.len || !session_open(identity->sealer, arena, key_id, token, &session))
        return CREDENTIAL_BAD_TOKEN;
    /* Real time and the test clock both end a session. */
    int64_t clock_s = env_now_s(identity->env);
    if (session.expires_s <= (clock_s > now_s ? clock_s : now_s))
        return CREDENTIAL_EXPIRED;
    const struct subject *subject = principals_find(identity->principals, arena, session.owner);
    /* The role or user is gone, and its sessions with it. A root without keys exists in dev mode only. */
    if (!subject && !(identity->dev_root && arn_is_account(session.owner)))
        return CREDENTIAL_UNKNOWN;
    if (!parent_lives(identity, arena, &session))
        return CREDENTIAL_UNKNOWN;
    if (!subject || subject->root)
        become_root(arena, session.account, key_id, out);
    else
        become_user(subject, key_id, out);
    out->secret = session.secret;
    out->policies.session = session_policies(identity, arena, &session);
    become_session(arena, &session, subject, out);
    return CREDENTIAL_OK;
}

enum credential_verdict identity_credential(struct identity *identity, struct arena *arena, struct str access_key_id,
                                            struct str session_token, int64_t now_s, struct credential *out)
{
    *out = (struct credential){ 0 };
    enum credential_verdict verdict = long_term(identity, arena, access_key_id, session_token, out);
    if (verdict != CREDENTIAL_UNKNOWN)
        return verdict;
    if (key_id_is_ours(identity->sealer, access_key_id))
        return str_starts(access_key_id, STR("ASIA"))
                   ? temporary(identity, arena, access_key_id, session_token, now_s, out)
                   : CREDENTIAL_UNKNOWN;
    if (!identity->dev_root || access_key_id.len == 0)
        return CREDENTIAL_UNKNOWN;
    *out = (struct credential){ 0 };
    become_root(arena, arn_is_account(access_key_id) ? access_key_id : identity->default_account, access_key_id, out);
    return CREDENTIAL_OK;
}

bool identity_credential_of(struct identity *identity, struct arena *arena, const struct entity *entity,
                            struct str session_name, struct credential *out)
{
    const struct subject *subject = principals_find(identity->principals, arena, entity->id);
    *out = (struct credential){ 0 };
    if (!subject)
        return false;
    become_user(subject, STR_NONE, out);
    if (subject->role) {
        const struct session session = { .kind = SESSION_ROLE, .account = subject->account, .owner = subject->id,
                                         .name = session_name, .issued_s = env_now_s(identity->env) };
        become_session(arena, &session, subject, out);
    }
    return true;
}

bool identity_principal_exists(struct identity *identity, struct arena *arena, struct str account, struct str arn)
{
    struct str own = str_printf(arena, "arn:aws:iam::%.*s:", STR_FMT(account));
    struct entity entity;
    bool found;
    return !str_starts(arn, own) || (!entity_principal(identity->db, NULL, arena, account, arn, &entity, &found) && found);
}

gh_err identity_root_key(struct identity *identity, struct arena *arena, struct str account,
                         struct str *access_key_id, struct str *secret)
{
    struct access_keys keys;
    gh_err err = access_key_list(identity->db, NULL, identity->sealer, arena, account, &keys);
    if (err)
        return err;
    if (keys.n == 0) {
        struct access_key key = { .id = key_id_new(identity->env, identity->sealer, arena, "AKIA", account),
                                  .account = account, .owner = account,
                                  .secret = id_random(identity->env, arena, 40, ID_SECRET), .status = STR("Active"),
                                  .created_us = env_now_us(identity->env) };
        struct tx tx;
        tx_begin(&tx, identity->db, arena);
        access_key_insert(&tx, identity->sealer, &key);
        err = tx_commit(&tx);
        tx_rollback(&tx);
        if (err)
            return err;
        principals_reload(identity, arena, account);
        keys.items[keys.n++] = key;
    }
    *access_key_id = keys.items[0].id;
    *secret = keys.items[0].secret;
    return NULL;
}
