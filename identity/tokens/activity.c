#include "identity/tokens/activity.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/map.h"
#include "identity/store/session.h"

enum { WRITE_AFTER_S = 60, WRITE_AT = 1024 };

struct note {
    int64_t active_s;
    struct str seen;
    char text[];
};

struct activity {
    pthread_mutex_t lock;
    struct map *notes; /* mac -> struct note */
    int64_t since_s;   /* of the oldest */
};

struct activity *activity_open(void)
{
    struct activity *activity = calloc(1, sizeof *activity);
    if (!activity)
        abort();
    pthread_mutex_init(&activity->lock, NULL);
    activity->notes = map_new();
    return activity;
}

void activity_close(struct activity *activity, struct db *db)
{
    if (!activity)
        return;
    struct arena *arena = arena_new(1024);
    activity_settle(activity, db, arena);
    arena_free(arena);
    map_free(activity->notes, free);
    pthread_mutex_destroy(&activity->lock);
    free(activity);
}

static struct note *note_of(struct str seen, int64_t now_s)
{
    struct note *note = malloc(sizeof *note + seen.len);
    if (!note)
        abort();
    memcpy(note->text, seen.ptr, seen.len);
    note->seen = (struct str){ note->text, seen.len };
    note->active_s = now_s;
    return note;
}

bool activity_note(struct activity *activity, struct str mac, struct str seen, int64_t now_s)
{
    struct note *note = note_of(seen, now_s);
    pthread_mutex_lock(&activity->lock);
    if (map_count(activity->notes) == 0)
        activity->since_s = now_s;
    free(map_set(activity->notes, mac, note));
    bool due = map_count(activity->notes) >= WRITE_AT || now_s - activity->since_s >= WRITE_AFTER_S;
    pthread_mutex_unlock(&activity->lock);
    return due;
}

/* The notes so far; the caller frees them. NULL: there are none. */
static struct map *take(struct activity *activity)
{
    struct map *notes = NULL;
    pthread_mutex_lock(&activity->lock);
    if (map_count(activity->notes) > 0) {
        notes = activity->notes;
        activity->notes = map_new();
    }
    pthread_mutex_unlock(&activity->lock);
    return notes;
}

static void write_all(struct map *notes, struct tx *tx)
{
    struct str mac;
    void *value;
    for (size_t at = 0; map_each(notes, &at, &mac, &value);) {
        const struct note *note = value;
        store_session_seen(tx, mac, note->seen, note->active_s);
    }
    map_free(notes, free);
}

void activity_write(struct activity *activity, struct tx *tx)
{
    struct map *notes = take(activity);
    if (notes)
        write_all(notes, tx);
}

gh_err activity_settle(struct activity *activity, struct db *db, struct arena *arena)
{
    struct map *notes = take(activity);
    if (!notes)
        return NULL;
    struct tx tx;
    tx_begin(&tx, db, arena);
    write_all(notes, &tx);
    return tx_commit(&tx);
}
