/* Notes that every thread makes all the time, gathered in memory and written down together now and then.
 *
 * A note is a lock and a look into a table: one row a key, 16 tables, so that loops seldom meet. A thread of
 * its own writes all rows in one transaction and forgets them; what cannot be written is lost, and said in
 * the log. */
#pragma once

#include "core/db.h"

struct tally;

struct tally_spec {
    struct db *db;
    const char *what; /* for the log: "last uses" */
    int every_s;
    size_t most; /* rows a table; while there are so many, no new one is begun */
    /* What becomes of a row (NULL: there is none) by a note: the row itself, changed, or another one of
     * malloc. */
    void *(*merge)(void *row, const void *note);
    void (*put)(struct tx *tx, const void *row);
    void (*prune)(struct tx *tx, void *ctx); /* once, by the thread, before anything is written */
    void *ctx;
};

struct tally *tally_open(const struct tally_spec *spec);
void tally_close(struct tally *tally); /* writes what is left; NULL is fine */

void tally_note(struct tally *tally, struct str key, const void *note);
/* Writes what is pending: who then reads the database sees every note made before. Job threads. */
gh_err tally_write(struct tally *tally, struct arena *arena);
/* Without writing: between these two nothing moves from memory to the database, and fn sees each row that
 * waits. */
void tally_hold(struct tally *tally);
void tally_each(struct tally *tally, void (*fn)(const void *row, void *ctx), void *ctx);
void tally_release(struct tally *tally);
