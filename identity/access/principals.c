#include "identity/access/principals.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/digest.h"
#include "core/log.h"
#include "core/map.h"
#include "identity/iam/policies/managed.h"
#include "identity/store/access_key.h"
#include "identity/store/iam_entity.h"
#include "identity/store/iam_policy.h"

struct key {
    struct str secret, owner;
    bool active;
};

struct principals {
    struct identity *identity;
    pthread_rwlock_t lock;
    pthread_mutex_t reloading; /* a reload reads and swaps as one: an older one never overtakes */
    struct map *subjects;      /* id -> struct subject */
    struct map *keys;          /* access key id -> struct key */
    struct map *documents;     /* ARN of an account's managed policy -> its default version, C string */
};

static void key_free(void *ptr)
{
    struct key *key = ptr;
    digest_wipe((char *)(uintptr_t)key->secret.ptr, key->secret.len);
    free(key);
}

static struct key *key_new(const struct access_key *row)
{
    struct key *key = calloc(1, sizeof *key + row->secret.len + row->owner.len);
    char *bytes = (char *)(key + 1);
    memcpy(bytes, row->secret.ptr, row->secret.len);
    memcpy(bytes + row->secret.len, row->owner.ptr, row->owner.len);
    *key = (struct key){ { bytes, row->secret.len }, { bytes + row->secret.len, row->owner.len },
                         str_is(row->status, "Active") };
    return key;
}

static void subject_drop(struct subject *subject)
{
    if (!subject || __atomic_sub_fetch(&subject->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    policy_set_free(subject->identity);
    policy_set_free(subject->boundary);
    arena_free(subject->arena);
}

/* --- compiling what a subject carries --- */

static void add_policy(struct policy_set *set, struct arena *arena, struct str name, struct str document)
{
    struct str why;
    if (!policy_set_add(set, POLICY_IDENTITY, name, document, arena, &why))
        log_at(LOG_ERROR, "stored policy does not compile", { "policy", name }, { "why", why });
}

gh_err managed_document(struct db *db, struct tx *tx, struct arena *arena, struct str policy_arn,
                        struct str *document)
{
    *document = STR_NONE;
    const struct managed_policy *managed = managed_find(policy_arn);
    if (managed) {
        *document = str_of(managed->document);
        return NULL;
    }
    struct str rest = policy_arn, part, account = STR_NONE;
    for (int i = 0; i < 5 && str_split(&rest, ':', &part); i++)
        account = part;
    ptrdiff_t slash = str_find_last(rest, '/');
    struct entity policy;
    struct policy_version version;
    bool found = false;
    gh_err err = entity_load(db, tx, arena, account, ENTITY_POLICY, str_from(rest, (size_t)(slash + 1)), &policy, &found);
    if (err || !found || !str_eq(policy.arn, policy_arn))
        return err;
    err = version_find(db, tx, arena, policy.id, policy.default_version, &version, &found);
    if (!err && found)
        *document = version.document;
    return err;
}

static gh_err add_attached(struct policy_set *set, struct db *db, struct arena *arena, struct str owner,
                           const char *kind)
{
    struct arns arns;
    gh_err err = attached_list(db, NULL, arena, owner, kind, &arns);
    for (size_t i = 0; !err && i < arns.n; i++) {
        struct str document;
        err = managed_document(db, NULL, arena, arns.items[i], &document);
        if (!err && document.ptr)
            add_policy(set, arena, str_from(arns.items[i], (size_t)(str_find_last(arns.items[i], '/') + 1)), document);
    }
    return err;
}

static gh_err add_inline(struct policy_set *set, struct db *db, struct arena *arena, struct str owner)
{
    struct named_policies policies;
    gh_err err = inline_list(db, NULL, arena, owner, &policies);
    for (size_t i = 0; !err && i < policies.n; i++)
        add_policy(set, arena, policies.items[i].name, policies.items[i].document);
    return err;
}

static gh_err collect(struct db *db, struct arena *arena, const struct entity *entity, struct policy_set *set)
{
    gh_err err = add_inline(set, db, arena, entity->id);
    if (!err)
        err = add_attached(set, db, arena, entity->id, entity_kind_name(entity->kind));
    struct entity_list groups = { 0 };
    if (!err && entity->kind == ENTITY_USER)
        err = entity_parents(db, NULL, arena, entity->id, ENTITY_GROUP, &groups);
    for (size_t i = 0; !err && i < groups.n; i++) {
        err = add_inline(set, db, arena, groups.items[i].id);
        if (!err)
            err = add_attached(set, db, arena, groups.items[i].id, "group");
    }
    return err;
}

/* A boundary whose policy is gone allows nothing: the empty set. */
static gh_err compile_boundary(struct db *db, struct arena *arena, struct str policy_arn,
                               const struct policy_set **out)
{
    *out = NULL;
    if (!policy_arn.ptr)
        return NULL;
    struct str document;
    gh_err err = managed_document(db, NULL, arena, policy_arn, &document);
    if (err)
        return err;
    struct policy_set *set = policy_set_new();
    if (document.ptr)
        add_policy(set, arena, str_from(policy_arn, (size_t)(str_find_last(policy_arn, '/') + 1)), document);
    *out = set;
    return NULL;
}

static void let_set_go(void *set)
{
    policy_set_free(set);
}

gh_err principals_compile(struct db *db, struct arena *arena, const struct entity *entity,
                          struct policy_set **identity, const struct policy_set **boundary)
{
    *identity = policy_set_new();
    arena_defer(arena, let_set_go, *identity);
    gh_err err = collect(db, arena, entity, *identity);
    if (!err)
        err = compile_boundary(db, arena, entity->boundary, boundary);
    if (!err && *boundary)
        arena_defer(arena, let_set_go, (void *)(uintptr_t)*boundary);
    return err;
}

static gh_err subject_build(struct db *db, struct arena *arena, const struct entity *entity, struct subject **out)
{
    struct policy_set *set = policy_set_new();
    const struct policy_set *boundary = NULL;
    gh_err err = collect(db, arena, entity, set);
    if (!err)
        err = compile_boundary(db, arena, entity->boundary, &boundary);
    if (err) {
        policy_set_free(set);
        return err;
    }
    struct arena *own = arena_new(1024);
    struct subject *subject = ARENA_NEW(own, struct subject);
    struct tag *tags = ARENA_ARRAY(own, struct tag, entity->tags.n);
    for (size_t i = 0; i < entity->tags.n; i++)
        tags[i] = (struct tag){ str_copy(own, entity->tags.items[i]->key), str_copy(own, entity->tags.items[i]->value) };
    *subject = (struct subject){
        .references = 1,
        .role = entity->kind == ENTITY_ROLE,
        .account = str_copy(own, entity->account),
        .name = str_copy(own, entity->name),
        .path = str_copy(own, entity->path),
        .id = str_copy(own, entity->id),
        .arn = str_copy(own, entity->arn),
        .tags = { entity->tags.n, tags },
        .identity = set,
        .boundary = boundary,
        .arena = own,
    };
    *out = subject;
    return NULL;
}

/* An account's root has keys and no policies. */
static struct subject *root_build(struct str account)
{
    struct arena *own = arena_new(512);
    struct subject *subject = ARENA_NEW(own, struct subject);
    *subject = (struct subject){ .references = 1, .root = true, .account = str_copy(own, account),
                                 .id = str_copy(own, account),
                                 .arn = str_printf(own, "arn:aws:iam::%.*s:root", STR_FMT(account)), .arena = own };
    return subject;
}

/* --- swapping it in --- */

static void remove_keys_of(struct principals *principals, struct str owner)
{
    struct str doomed[8], id;
    void *value;
    size_t n;
    do {
        n = 0;
        for (size_t at = 0; n < COUNT(doomed) && map_each(principals->keys, &at, &id, &value);)
            if (str_eq(((struct key *)value)->owner, owner))
                doomed[n++] = id;
        struct key *gone[COUNT(doomed)];
        for (size_t i = 0; i < n; i++)
            gone[i] = map_remove(principals->keys, doomed[i]);
        for (size_t i = 0; i < n; i++)
            key_free(gone[i]);
    } while (n == COUNT(doomed));
}

static void swap(struct principals *principals, struct str id, struct subject *subject,
                 const struct access_keys *keys)
{
    pthread_rwlock_wrlock(&principals->lock);
    if (map_get(principals->subjects, id))
        remove_keys_of(principals, id);
    for (size_t i = 0; subject && i < keys->n; i++) {
        struct key *old = map_set(principals->keys, keys->items[i].id, key_new(&keys->items[i]));
        if (old)
            key_free(old);
    }
    struct subject *before = subject ? map_set(principals->subjects, id, subject) : map_remove(principals->subjects, id);
    subject_drop(before);
    pthread_rwlock_unlock(&principals->lock);
}

static bool is_account(struct str id)
{
    return id.len == 12 && id.ptr[0] >= '0' && id.ptr[0] <= '9';
}

static gh_err reload(struct principals *principals, struct arena *arena, struct str id)
{
    struct identity *identity = principals->identity;
    struct access_keys keys;
    struct subject *subject = NULL;
    gh_err err = access_key_list(identity->db, NULL, identity->sealer, arena, id, &keys);
    if (!err && is_account(id)) {
        subject = keys.n ? root_build(id) : NULL;
    } else if (!err) {
        struct entity entity;
        bool found;
        err = entity_load_id(identity->db, NULL, arena, id, &entity, &found);
        if (!err && found)
            err = subject_build(identity->db, arena, &entity, &subject);
    }
    /* What cannot be read must not keep its old rights. */
    swap(principals, id, err ? NULL : subject, &keys);
    return err;
}

void principals_reload(struct identity *identity, struct arena *arena, struct str id)
{
    pthread_mutex_lock(&identity->principals->reloading);
    gh_err err = reload(identity->principals, arena, id);
    pthread_mutex_unlock(&identity->principals->reloading);
    if (err)
        log_at(LOG_ERROR, "principal could not be reloaded, its keys are refused", { "id", id },
               { "error", err->message });
}

void principals_reload_group(struct identity *identity, struct arena *arena, struct str group_id)
{
    struct entity_list members;
    gh_err err = entity_members(identity->db, NULL, arena, group_id, &members);
    if (err)
        log_at(LOG_ERROR, "members of a group could not be read", { "id", group_id }, { "error", err->message });
    for (size_t i = 0; !err && i < members.n; i++)
        principals_reload(identity, arena, members.items[i].id);
}

static gh_err reload_document(struct principals *principals, struct arena *arena, struct str policy_arn)
{
    struct str document;
    gh_err err = managed_document(principals->identity->db, NULL, arena, policy_arn, &document);
    char *copy = !err && document.ptr ? strdup(str_c(arena, document)) : NULL;
    pthread_rwlock_wrlock(&principals->lock);
    free(copy ? map_set(principals->documents, policy_arn, copy) : map_remove(principals->documents, policy_arn));
    pthread_rwlock_unlock(&principals->lock);
    return err;
}

struct str principals_document(struct principals *principals, struct arena *arena, struct str policy_arn)
{
    const struct managed_policy *managed = managed_find(policy_arn);
    if (managed)
        return str_of(managed->document);
    pthread_rwlock_rdlock(&principals->lock);
    const char *text = map_get(principals->documents, policy_arn);
    struct str document = text ? str_copy(arena, str_of(text)) : STR_NONE;
    pthread_rwlock_unlock(&principals->lock);
    return document;
}

void principals_reload_policy(struct identity *identity, struct arena *arena, struct str account,
                              struct str policy_arn)
{
    gh_err failed = reload_document(identity->principals, arena, policy_arn);
    if (failed)
        log_at(LOG_ERROR, "policy could not be reloaded", { "arn", policy_arn }, { "error", failed->message });
    static const char *const kinds[] = { "user", "role", "group", "boundary" };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct arns owners;
        gh_err err = attached_owners(identity->db, NULL, arena, account, policy_arn, kinds[k], &owners);
        if (err)
            log_at(LOG_ERROR, "owners of a policy could not be read", { "arn", policy_arn },
                   { "error", err->message });
        for (size_t i = 0; !err && i < owners.n; i++) {
            if (strcmp(kinds[k], "group") == 0)
                principals_reload_group(identity, arena, owners.items[i]);
            else
                principals_reload(identity, arena, owners.items[i]);
        }
    }
}

/* --- looking up --- */

static void let_go(void *ptr)
{
    subject_drop(ptr);
}

const struct subject *principals_find(struct principals *principals, struct arena *arena, struct str id)
{
    pthread_rwlock_rdlock(&principals->lock);
    struct subject *subject = map_get(principals->subjects, id);
    if (subject)
        __atomic_add_fetch(&subject->references, 1, __ATOMIC_RELAXED);
    pthread_rwlock_unlock(&principals->lock);
    if (!subject)
        return NULL;
    arena_defer(arena, let_go, subject);
    return subject;
}

bool principals_key(struct principals *principals, struct arena *arena, struct str key_id, struct str *secret,
                    struct str *owner, bool *active)
{
    pthread_rwlock_rdlock(&principals->lock);
    const struct key *key = map_get(principals->keys, key_id);
    if (key) {
        *secret = str_copy(arena, key->secret);
        *owner = str_copy(arena, key->owner);
        *active = key->active;
    }
    pthread_rwlock_unlock(&principals->lock);
    return key != NULL;
}

/* --- start and end --- */

static gh_err load_documents(struct principals *principals, struct arena *arena)
{
    struct rows rows;
    rows_open(&rows, principals->identity->db, NULL, arena,
              "SELECT account, path, name FROM iam_entity WHERE kind = 'policy'", "");
    struct strbuf arns = strbuf_in(arena, 1024);
    while (rows_next(&rows)) {
        strbuf_add(&arns, entity_arn(arena, ENTITY_POLICY, rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2)));
        strbuf_char(&arns, '\n');
    }
    gh_err err = rows_close(&rows);
    struct str rest = strbuf_view(&arns), arn;
    while (!err && str_split(&rest, '\n', &arn) && arn.len)
        err = reload_document(principals, arena, arn);
    return err;
}

static gh_err load_all(struct principals *principals, struct arena *arena)
{
    struct identity *identity = principals->identity;
    struct rows rows;
    size_t n = 0, cap = 64;
    struct str *ids = ARENA_ARRAY(arena, struct str, cap);
    rows_open(&rows, identity->db, NULL, arena,
              "SELECT id FROM iam_entity WHERE kind = 'user' OR kind = 'role' "
              "UNION SELECT DISTINCT account FROM iam_access_key WHERE owner = account",
              "");
    while (rows_next(&rows)) {
        if (n == cap) {
            struct str *more = ARENA_ARRAY(arena, struct str, cap * 2);
            memcpy(more, ids, cap * sizeof *more);
            ids = more;
            cap *= 2;
        }
        ids[n++] = rows_str(&rows, 0);
    }
    gh_err err = rows_close(&rows);
    err = err ? err : load_documents(principals, arena);
    struct arena *each = arena_new(16 * 1024);
    for (size_t i = 0; !err && i < n; i++) {
        err = reload(principals, each, ids[i]);
        if (err)
            err = gh_fail(arena, err->kind, "%.*s", STR_FMT(err->message));
        arena_reset(each);
    }
    arena_free(each);
    return err;
}

struct principals *principals_open(struct identity *identity, struct arena *arena, struct str *why)
{
    struct principals *principals = calloc(1, sizeof *principals);
    principals->identity = identity;
    pthread_rwlock_init(&principals->lock, NULL);
    pthread_mutex_init(&principals->reloading, NULL);
    principals->subjects = map_new();
    principals->keys = map_new();
    principals->documents = map_new();
    gh_err err = load_all(principals, arena);
    if (!err)
        return principals;
    *why = str_printf(arena, "users, roles and keys could not be read: %.*s", STR_FMT(err->message));
    principals_close(principals);
    return NULL;
}

void principals_close(struct principals *principals)
{
    map_free(principals->subjects, let_go);
    map_free(principals->keys, key_free);
    map_free(principals->documents, free);
    pthread_rwlock_destroy(&principals->lock);
    pthread_mutex_destroy(&principals->reloading);
    free(principals);
}
