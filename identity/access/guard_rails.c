#include "identity/access/guard_rails.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/map.h"
#include "identity/store/guard_rail.h"
#include "policy/order.h"

/* Of one account, immutable. */
struct compiled {
    atomic_int references; /* the map holds one */
    const struct policy_set *service, *resource;
};

struct guard_rails {
    struct db *db;
    pthread_rwlock_t lock;
    pthread_mutex_t reloading; /* a reload reads and swaps as one: an older one never overtakes */
    struct map *accounts;      /* account -> struct compiled */
    atomic_size_t n;           /* of accounts: most servers have none, and take no lock */
};

static void drop(void *ptr)
{
    struct compiled *compiled = ptr;
    if (!compiled || atomic_fetch_sub(&compiled->references, 1) > 1)
        return;
    policy_set_free(compiled->service);
    policy_set_free(compiled->resource);
    free(compiled);
}

static void add(struct policy_set **set, enum policy_use use, struct str name, struct str document, struct arena *arena)
{
    struct str why;
    if (!*set)
        *set = policy_set_new();
    if (!policy_set_add(*set, use, name, document, arena, &why))
        log_at(LOG_ERROR, "stored guard rail does not compile", { "policy", name }, { "why", why });
}

/* A document that no longer compiles leaves a set without it: FullAWSAccess does not stand in for it. */
static struct compiled *compile(const struct guard_rail_list *list, struct arena *arena)
{
    struct policy_set *service = NULL, *resource = NULL;
    bool full = true;
    for (size_t i = 0; i < list->n; i++) {
        const struct guard_rail *one = &list->items[i];
        bool of_service = str_is(one->kind, "service");
        if (!one->document.len)
            full = false;
        else
            add(of_service ? &service : &resource, of_service ? POLICY_SERVICE_CONTROL : POLICY_RESOURCE_CONTROL, one->name,
                one->document, arena);
    }
    if (service && full)
        add(&service, POLICY_SERVICE_CONTROL, STR("FullAWSAccess"), str_of(POLICY_FULL_ACCESS), arena);
    if (resource)
        add(&resource, POLICY_RESOURCE_CONTROL, STR("RCPFullAWSAccess"), str_of(POLICY_RESOURCE_FULL_ACCESS), arena);
    if (!service && !resource)
        return NULL;
    struct compiled *out = calloc(1, sizeof *out);
    if (!out)
        abort();
    atomic_init(&out->references, 1);
    out->service = service;
    out->resource = resource;
    return out;
}

static gh_err reload(struct guard_rails *rails, struct arena *arena, struct str account)
{
    struct guard_rail_list list;
    gh_err err = guard_rail_list(rails->db, NULL, arena, account, &list);
    if (err)
        return err;
    struct compiled *fresh = compile(&list, arena);
    pthread_rwlock_wrlock(&rails->lock);
    drop(fresh ? map_set(rails->accounts, account, fresh) : map_remove(rails->accounts, account));
    atomic_store(&rails->n, map_count(rails->accounts));
    pthread_rwlock_unlock(&rails->lock);
    return NULL;
}

void guard_rails_reload(struct guard_rails *rails, struct arena *arena, struct str account)
{
    pthread_mutex_lock(&rails->reloading);
    gh_err err = reload(rails, arena, account);
    pthread_mutex_unlock(&rails->reloading);
    if (err) /* the old ones go on: nothing is opened by a read that failed */
        log_at(LOG_ERROR, "guard rails could not be reloaded", { "account", account }, { "error", err->message });
}

struct guard_rails *guard_rails_open(struct db *db, struct arena *arena, struct str *why)
{
    struct guard_rails *rails = calloc(1, sizeof *rails);
    struct str lines, account;
    if (!rails)
        abort();
    rails->db = db;
    pthread_rwlock_init(&rails->lock, NULL);
    pthread_mutex_init(&rails->reloading, NULL);
    rails->accounts = map_new();
    gh_err err = guard_rail_accounts(db, arena, &lines);
    while (!err && str_split(&lines, '\n', &account) && account.len)
        err = reload(rails, arena, account);
    if (!err)
        return rails;
    *why = str_printf(arena, "guard rails could not be read: %.*s", STR_FMT(err->message));
    guard_rails_close(rails);
    return NULL;
}

void guard_rails_close(struct guard_rails *rails)
{
    if (!rails)
        return;
    map_free(rails->accounts, drop);
    pthread_rwlock_destroy(&rails->lock);
    pthread_mutex_destroy(&rails->reloading);
    free(rails);
}

bool guard_rails_any(const struct guard_rails *rails)
{
    return atomic_load_explicit(&rails->n, memory_order_acquire) > 0;
}

void guard_rails_of(struct guard_rails *rails, struct arena *arena, struct str account,
                    const struct policy_set **service, const struct policy_set **resource)
{
    *service = *resource = NULL;
    if (!guard_rails_any(rails))
        return;
    pthread_rwlock_rdlock(&rails->lock);
    struct compiled *compiled = map_get(rails->accounts, account);
    if (compiled)
        atomic_fetch_add_explicit(&compiled->references, 1, memory_order_relaxed);
    pthread_rwlock_unlock(&rails->lock);
    if (!compiled)
        return;
    arena_defer(arena, drop, compiled);
    *service = compiled->service;
    *resource = compiled->resource;
}
