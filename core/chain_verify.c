#include "core/chain_verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/chain_line.h"

enum { MAX_KEYS = 16 };

static const char *const fault_names[] = {
    [CHAIN_WHOLE] = "whole",         [CHAIN_CHANGED] = "changed",     [CHAIN_REMOVED] = "removed",
    [CHAIN_INSERTED] = "inserted",   [CHAIN_REORDERED] = "reordered", [CHAIN_TRUNCATED] = "truncated",
    [CHAIN_NO_SEGMENT] = "missing segment", [CHAIN_FORGED] = "forged checkpoint", [CHAIN_UNSIGNED] = "missing checkpoint",
    [CHAIN_NO_LINE] = "not a record",
};

const char *chain_fault_name(enum chain_fault fault)
{
    return fault_names[fault];
}

struct walk {
    struct arena *arena; /* of the report */
    const struct chain_expectation *expected;
    struct chain_report *report;
    struct { struct ed25519 *key; struct str id; } keys[MAX_KEYS];
    size_t n_keys;
    /* the line before */
    int64_t sequence;
    char hash[CHAIN_HASH_TEXT + 1]; /* "" at the start: the first line's word is taken */
    struct str file;
    int64_t line;
    /* the newest checkpoint */
    bool anchored, head_seen;
    int64_t since_checkpoint, every, first;
    struct str first_previous, head;
    bool done;
};

static bool broken(struct walk *walk, enum chain_fault fault, struct str file, int64_t line, int64_t sequence, struct str text)
{
    struct chain_report *report = walk->report;
    report->fault = fault;
    report->file = file;
    report->line = line;
    report->sequence = sequence;
    report->text = text;
    return false;
}

#define SAY(...) str_printf(walk->arena, __VA_ARGS__)

static const struct ed25519 *key_of(const struct walk *walk, struct str id)
{
    for (size_t i = 0; i < walk->n_keys; i++)
        if (str_eq(walk->keys[i].id, id))
            return walk->keys[i].key;
    return NULL;
}

static bool check_checkpoint(struct walk *walk, struct arena *arena, struct str text, const struct chain_line *line)
{
    struct chain_checkpoint c;
    const struct ed25519 *key = NULL;
    if (!chain_checkpoint_parse(arena, text, &c))
        return broken(walk, CHAIN_FORGED, walk->file, walk->line, line->sequence, SAY("this checkpoint cannot be read"));
    key = key_of(walk, c.key_id);
    if (!key)
        return broken(walk, CHAIN_FORGED, walk->file, walk->line, line->sequence,
                      SAY("this checkpoint is signed by key %.*s, which is none of those given", STR_FMT(c.key_id)));
    if (!ed25519_verify(key, c.signed_part, c.signature))
        return broken(walk, CHAIN_FORGED, walk->file, walk->line, line->sequence,
                      SAY("this checkpoint's signature does not fit: it is forged, or a line since the checkpoint before it was changed "
                          "and all hashes after that were made anew"));
    if (c.first > 1 && line->sequence < c.first)
        return broken(walk, CHAIN_FORGED, walk->file, walk->line, line->sequence, SAY("this checkpoint names a beginning after itself"));
    walk->first = c.first;
    walk->first_previous = str_copy(walk->arena, c.first_previous);
    walk->every = c.every;
    walk->since_checkpoint = 0;
    walk->anchored = true;
    walk->head_seen = walk->head_seen || (walk->head.ptr && str_eq(walk->head, text));
    walk->report->lost += c.lost;
    walk->report->checkpoints++;
    return true;
}

/* A number is not the one that should come: why? */
static bool out_of_turn(struct walk *walk, const struct chain_line *line, struct str rest)
{
    int64_t due = walk->sequence + 1;
    if (line->sequence < due)
        return broken(walk, CHAIN_INSERTED, walk->file, walk->line, line->sequence,
                      SAY("record %lld comes a second time: one of them was inserted", (long long)line->sequence));
    for (struct str next, all = rest; str_split(&all, '\n', &next);) {
        struct chain_line later;
        if (chain_line_parse(next, &later) && later.sequence == due)
            return broken(walk, CHAIN_REORDERED, walk->file, walk->line, due,
                          SAY("record %lld stands where %lld should; that one comes later: lines have changed places",
                              (long long)line->sequence, (long long)due));
    }
    return broken(walk, CHAIN_REMOVED, walk->file, walk->line, due,
                  line->sequence == due + 1
                      ? SAY("record %lld is missing before this line", (long long)due)
                      : SAY("records %lld to %lld are missing before this line", (long long)due, (long long)line->sequence - 1));
}

static bool check_line(struct walk *walk, struct arena *arena, struct str text, struct str rest)
{
    struct chain_line line;
    uint8_t hash[SHA256_BYTES];
    if (!chain_line_parse(text, &line))
        return broken(walk, CHAIN_NO_LINE, walk->file, walk->line, walk->sequence + 1,
                      SAY("this line is no record: it was changed, or does not belong here"));
    if (walk->hash[0] && line.sequence != walk->sequence + 1)
        return out_of_turn(walk, &line, rest);
    if (walk->hash[0] && !str_is(line.previous, walk->hash)) {
        bool at_start = walk->line == 1;
        return broken(walk, CHAIN_CHANGED, walk->file, at_start ? walk->line : walk->line - 1, walk->sequence,
                      at_start ? SAY("record %lld, the last of the file before, or this line's previousHash was changed", (long long)walk->sequence)
                               : SAY("record %lld was changed: it is not the one whose hash the next line carries", (long long)walk->sequence));
    }
    if (!walk->hash[0]) {
        walk->report->first = line.sequence;
        walk->first_previous = str_copy(walk->arena, line.previous);
        walk->first = line.sequence;
    }
    chain_hash(text, hash);
    chain_hash_text(hash, walk->hash);
    if (walk->expected->head && walk->expected->head->sequence == line.sequence && memcmp(walk->expected->head->hash, hash, sizeof hash) != 0)
        return broken(walk, CHAIN_CHANGED, walk->file, walk->line, line.sequence,
                      SAY("record %lld was changed: its writer wrote another", (long long)line.sequence));
    walk->sequence = line.sequence;
    walk->since_checkpoint++;
    if (line.checkpoint && !check_checkpoint(walk, arena, text, &line))
        return false;
    if (walk->anchored && walk->since_checkpoint > walk->every)
        return broken(walk, CHAIN_UNSIGNED, walk->file, walk->line, line.sequence,
                      SAY("%lld records without a checkpoint; one is due every %lld", (long long)walk->since_checkpoint, (long long)walk->every));
    walk->report->checked++;
    walk->report->last = line.sequence;
    walk->done = walk->expected->to && line.sequence >= walk->expected->to && line.checkpoint;
    return true;
}

static bool check_segment(struct walk *walk, const struct chain_segment *segment, bool newest, struct str *why)
{
    struct arena *arena = arena_new(64 * 1024);
    struct str rest = STR("");
    bool ok = chain_read(arena, segment->path.ptr, &rest, why);
    if (!ok) {
        ok = broken(walk, CHAIN_NO_SEGMENT, segment->name, 0, segment->first, str_copy(walk->arena, *why));
        rest.len = 0;
    }
    walk->file = segment->name;
    walk->line = 0;
    while (ok && rest.len > 0 && !walk->done) {
        ptrdiff_t newline = str_find(rest, '\n');
        walk->line++;
        if (newline < 0) {
            ok = (newest && walk->expected->running) ||
                 broken(walk, CHAIN_TRUNCATED, walk->file, walk->line, walk->sequence + 1,
                        SAY("the file ends within a line: it was cut, or its writer was killed (which its next start repairs)"));
            break;
        }
        struct str text = str_sub(rest, 0, (size_t)newline);
        rest = str_from(rest, (size_t)newline + 1);
        ok = check_line(walk, arena, text, rest);
    }
    arena_free(arena);
    return ok;
}

/* What is left when all lines are good: is the beginning the beginning, the end the end? */
static bool check_ends(struct walk *walk)
{
    const struct chain_expectation *expected = walk->expected;
    struct chain_report *report = walk->report;
    if (!expected->from && walk->anchored && report->first > walk->first)
        return broken(walk, CHAIN_NO_SEGMENT, report->file, 1, walk->first,
                      SAY("the log begins at record %lld, but its checkpoints say %lld: a file is missing", (long long)report->first,
                          (long long)walk->first));
    if (walk->done)
        return true;
    if (expected->head && (expected->head->sequence > walk->sequence)) /* more may have come since */
        return broken(walk, CHAIN_TRUNCATED, walk->file, walk->line, walk->sequence + 1,
                      SAY("the log ends at record %lld; its writer has written %lld", (long long)walk->sequence,
                          (long long)expected->head->sequence));
    if (walk->head.ptr && !walk->head_seen) {
        struct chain_line head;
        bool read = chain_line_parse(walk->head, &head);
        if (read && head.sequence > walk->sequence)
            return broken(walk, CHAIN_TRUNCATED, walk->file, walk->line, walk->sequence + 1,
                          SAY("the log ends at record %lld; the head knows checkpoint %lld", (long long)walk->sequence, (long long)head.sequence));
        if (!expected->from || (read && head.sequence >= report->first))
            return broken(walk, CHAIN_FORGED, STR("head"), 1, read ? head.sequence : 0,
                          SAY("the head is no checkpoint of this log"));
    }
    if (!walk->head.ptr && !expected->head && walk->sequence > 0)
        return broken(walk, CHAIN_TRUNCATED, STR("head"), 0, walk->sequence,
                      SAY("there is no head: nothing says that the log does not go on after record %lld", (long long)walk->sequence));
    if (!walk->anchored && report->checked > 0)
        return broken(walk, CHAIN_UNSIGNED, walk->file, walk->line, walk->sequence, SAY("there is no checkpoint"));
    return true;
}

static bool read_keys(struct walk *walk, struct str *why)
{
    struct str rest = walk->expected->keys;
    if (!rest.ptr && !chain_read(walk->arena, chain_path(walk->arena, walk->expected->folder, "public-key.pem").ptr, &rest, why))
        return false;
    for (struct ed25519 *key; walk->n_keys < MAX_KEYS && (key = ed25519_from_pem(rest, &rest));) {
        walk->keys[walk->n_keys].key = key;
        walk->keys[walk->n_keys++].id = ed25519_id(walk->arena, key);
    }
    if (walk->n_keys == 0)
        *why = STR("no Ed25519 public key in PEM");
    return walk->n_keys > 0;
}

static bool check_all(struct walk *walk, const struct chain_segment *segments, size_t n, struct str *why)
{
    size_t from = 0;
    while (from + 1 < n && walk->expected->from >= segments[from + 1].first)
        from++;
    for (size_t i = from; i < n && !walk->done; i++) {
        if (walk->hash[0] && segments[i].first > walk->sequence + 1)
            return broken(walk, CHAIN_NO_SEGMENT, segments[i].name, 1, walk->sequence + 1,
                          SAY("records %lld to %lld are missing: a file between %.*s and this one is gone", (long long)walk->sequence + 1,
                              (long long)segments[i].first - 1, STR_FMT(walk->file)));
        if (!check_segment(walk, &segments[i], i + 1 == n, why))
            return false;
    }
    return check_ends(walk);
}

bool chain_verify(struct arena *arena, const struct chain_expectation *expected, struct chain_report *report, struct str *why)
{
    struct walk walk = { .arena = arena, .expected = expected, .report = report };
    struct chain_segment *segments;
    struct str ignored;
    size_t n;
    *report = (struct chain_report){ .file = STR(""), .text = STR("") };
    bool ok = chain_segments(arena, expected->folder, &segments, &n, why) && read_keys(&walk, why);
    if (ok) {
        if (!chain_read(arena, chain_path(arena, expected->folder, "head").ptr, &walk.head, &ignored))
            walk.head = STR_NONE;
        if (n == 0 && walk.head.ptr)
            broken(&walk, CHAIN_NO_SEGMENT, STR(""), 0, 1, STR("the head knows a checkpoint, and there is no file"));
        else if (n > 0)
            check_all(&walk, segments, n, why);
        report->after_checkpoint = walk.since_checkpoint;
    }
    for (size_t i = 0; i < walk.n_keys; i++)
        ed25519_free(walk.keys[i].key);
    return ok;
}

bool chain_is_written(struct arena *arena, const char *folder)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(chain_path(arena, folder, "lock").ptr, O_RDWR | O_CLOEXEC);
    bool written = fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (fd >= 0)
        close(fd);
    return written;
}
