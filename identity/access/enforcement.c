#include "identity/access/enforcement.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/tally.h"

enum {
    WRITTEN_EVERY_S = 1,
    MOST_PENDING = 512, /* more kinds of use than that in a second are not counted */
    MOST_TEXT = 2048,   /* owner, action and resource of one */
};

/* A kind of use, waiting to be written. */
struct pending {
    struct asking use; /* views into bytes[] */
    char bytes[];
};

struct enforcement {
    bool soft;
    struct tally *uses; /* "owner action resource service" -> struct pending */
};

/* ---- noting ---- */

static struct pending *pending_new(const struct asking *from)
{
    struct asking use = *from;
    struct str *parts[] = { &use.owner,    &use.account,   &use.principal, &use.action,
                            &use.resource, &use.passed_to, &use.reason };
    size_t total = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        total += parts[i]->len;
    struct pending *row = calloc(1, sizeof *row + total);
    if (!row)
        abort();
    char *at = row->bytes;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (parts[i]->len)
            memcpy(at, parts[i]->ptr, parts[i]->len);
        *parts[i] = (struct str){ at, parts[i]->len };
        at += parts[i]->len;
    }
    row->use = use;
    return row;
}

static void count(struct asking *use, const struct asking *one)
{
    use->allowed += one->allowed;
    use->spared += one->spared;
    use->refused += one->refused;
    use->at_s = one->at_s;
}

static void *merge(void *row, const void *note)
{
    struct pending *had = row;
    const struct asking *one = note;
    if (had && (str_eq(had->use.reason, one->reason) || !one->reason.len)) {
        count(&had->use, one);
        return had;
    }
    struct pending *fresh = pending_new(one); /* with the latest reason */
    if (had)
        count(&fresh->use, &(struct asking){ .allowed = had->use.allowed,
                                             .spared = had->use.spared,
                                             .refused = had->use.refused,
                                             .at_s = one->at_s });
    return fresh;
}

static void note(struct enforcement *enforcement, const struct asking *one)
{
    const struct str parts[] = { one->owner, one->action, one->resource, one->passed_to };
    char text[MOST_TEXT];
    size_t len = 0;
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (len + parts[i].len + 1 > sizeof text)
            return;
        if (parts[i].len)
            memcpy(text + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
        text[len++] = ' ';
    }
    tally_note(enforcement->uses, (struct str){ text, len }, one);
}

/* Whose policies these are: the user or role, not its session. */
static struct str owner_arn(const struct credential *credential)
{
    if (credential->role_arn.ptr)
        return credential->role_arn;
    return credential->maker_arn.ptr ? credential->maker_arn : credential->principal.arn;
}

bool enforcement_settle(struct identity *identity, struct arena *arena, const struct credential *credential,
                        const struct policy_request *request, const struct policy_decision *decision,
                        bool allowed)
{
    struct enforcement *enforcement = identity->enforcement;
    if (!enforcement || !credential || !credential->owner.len || (credential->root && allowed))
        return allowed;
    bool spared = !allowed && enforcement->soft;
    const struct policy_key *service =
        policy_context_find(request->keys, request->n_keys, STR("iam:PassedToService"));
    const struct asking one = {
        .owner = credential->owner,
        .account = credential->principal.account,
        .principal = owner_arn(credential),
        .action = request->action,
        .resource = request->resource.ptr ? request->resource : STR("*"),
        .passed_to = service && service->n ? service->values[0] : STR(""),
        .reason = allowed ? STR("") : policy_reason(arena, request, decision),
        .allowed = allowed,
        .spared = spared,
        .refused = !allowed && !spared,
        .at_s = env_now_s(identity->env),
    };
    note(enforcement, &one);
    if (spared)
        log_at(LOG_WARN, "would be refused", { "principal", credential->principal.arn },
               { "action", one.action }, { "resource", one.resource }, { "reason", one.reason });
    return allowed || spared;
}

struct str enforcement_mode(const struct identity *identity)
{
    return !identity->enforcement        ? STR("not noted")
           : identity->enforcement->soft ? STR("soft")
                                         : STR("enforced");
}

/* ---- writing ---- */

static void put(struct tx *tx, const void *row)
{
    const struct pending *pending = row;
    asking_add(tx, &pending->use);
    asking_trim(tx, pending->use.owner, USES_KEPT);
}

/* Who is deleted is forgotten. */
static void prune(struct tx *tx, void *ctx)
{
    (void)ctx;
    asking_prune(tx);
}

gh_err enforcement_write(struct identity *identity, struct arena *arena)
{
    return identity->enforcement ? tally_write(identity->enforcement->uses, arena) : NULL;
}

struct enforcement *enforcement_open(struct identity *identity, bool soft)
{
    struct enforcement *enforcement = calloc(1, sizeof *enforcement);
    if (!enforcement)
        abort();
    enforcement->soft = soft;
    enforcement->uses = tally_open(&(struct tally_spec){ .db = identity->db,
                                                         .what = "what principals asked for",
                                                         .every_s = WRITTEN_EVERY_S,
                                                         .most = MOST_PENDING,
                                                         .merge = merge,
                                                         .put = put,
                                                         .prune = prune });
    return enforcement;
}

void enforcement_close(struct enforcement *enforcement)
{
    if (!enforcement)
        return;
    tally_close(enforcement->uses);
    free(enforcement);
}
