#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/chain_line.h"
#include "core/chain_verify.h"

enum { RECORDS = 60 };

/* A folder of its own, a clock that the test moves. */
struct place {
    struct arena *arena;
    struct env env;
    struct sealer *sealer;
    char folder[64], chain[80];
};

static int64_t clock_us;

static int64_t wall(void *ctx)
{
    (void)ctx;
    return clock_us;
}

static void place_new(struct place *place)
{
    struct str why;
    *place = (struct place){ .arena = arena_new(4096), .folder = "/tmp/gh_test_chain_XXXXXX" };
    env_system(&place->env);
    clock_us = place->env.wall_us(NULL);
    place->env.wall_us = wall;
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->chain, sizeof place->chain, "%s/log", place->folder);
    place->sealer = sealer_open(str_printf(place->arena, "%s/key", place->folder).ptr, true, &place->env, place->arena, &why);
    assert_non_null(place->sealer);
}

static void place_free(struct place *place)
{
    assert_int_equal(system(str_printf(place->arena, "rm -rf %s", place->folder).ptr), 0);
    sealer_free(place->sealer);
    arena_free(place->arena);
}

static struct chain *open_chain(struct place *place, const struct chain_config *with)
{
    struct chain_config config = with ? *with : (struct chain_config){ 0 };
    struct str why = STR_NONE;
    config.env = &place->env;
    config.sealer = place->sealer;
    config.folder = place->chain;
    struct chain *chain = chain_open(&config, place->arena, &why);
    if (!chain)
        fail_msg("%.*s", STR_FMT(why));
    return chain;
}

static void append(struct chain *chain, int i, bool wait)
{
    char text[128];
    snprintf(text, sizeof text, "{\"eventName\":\"Number%d\",\"filler\":\"%040d\"}", i, i);
    assert_true(chain_append(chain, str_of(text), wait));
}

static struct chain_report verify_as(struct place *place, struct chain_expectation expected)
{
    struct chain_report report;
    struct str why = STR_NONE;
    expected.folder = place->chain;
    if (!chain_verify(place->arena, &expected, &report, &why))
        fail_msg("%.*s", STR_FMT(why));
    return report;
}

static struct chain_report verify(struct place *place)
{
    return verify_as(place, (struct chain_expectation){ 0 });
}

static void whole(struct place *place)
{
    struct chain_report report = verify(place);
    if (report.fault != CHAIN_WHOLE)
        fail_msg("%.*s:%lld: %.*s", STR_FMT(report.file), (long long)report.line, STR_FMT(report.text));
}

/* 60 records in files of about 3 KiB, a checkpoint every 10. */
static void fill(struct place *place)
{
    struct chain *chain = open_chain(place, &(struct chain_config){ .segment_bytes = 2500, .checkpoint_records = 10 });
    for (int i = 1; i <= RECORDS; i++)
        append(chain, i, i % 5 == 0);
    chain_close(chain);
}

/* ---- what an intruder does ---- */

struct text {
    char *lines[400];
    int n;
    struct str path;
};

static struct text load(struct place *place, size_t segment)
{
    struct text text = { 0 };
    struct chain_segment *segments;
    struct str all, line, why;
    size_t n;
    assert_true(chain_segments(place->arena, place->chain, &segments, &n, &why));
    assert_true(n > 3 && segment < n);
    text.path = segments[segment].path;
    assert_true(chain_read(place->arena, text.path.ptr, &all, &why));
    while (str_split(&all, '\n', &line) && line.len)
        text.lines[text.n++] = (char *)str_copy(place->arena, line).ptr;
    return text;
}

static void store(const struct text *text)
{
    FILE *file = fopen(text->path.ptr, "w");
    for (int i = 0; i < text->n; i++)
        fprintf(file, "%s\n", text->lines[i]);
    fclose(file);
}

static void remove_line(struct text *text, int at)
{
    memmove(text->lines + at, text->lines + at + 1, (size_t)(--text->n - at) * sizeof *text->lines);
}

/* Everything after `at` as the writer would have made it, but for the signatures. */
static void rehash(struct place *place, struct text *text, int at)
{
    for (int i = at; i + 1 < text->n; i++) {
        uint8_t hash[SHA256_BYTES];
        char hex[CHAIN_HASH_TEXT + 1];
        chain_hash(str_of(text->lines[i]), hash);
        chain_hash_text(hash, hex);
        char *next = (char *)str_copy(place->arena, str_of(text->lines[i + 1])).ptr;
        memcpy(strstr(next, "\"previousHash\":\"") + 16, hex, CHAIN_HASH_TEXT);
        text->lines[i + 1] = next;
    }
}

static void change(struct place *place, struct text *text)
{
    (void)place;
    *strstr(text->lines[2], "Number") = 'n';
}
static void change_and_rehash(struct place *place, struct text *text)
{
    change(place, text);
    rehash(place, text, 2);
}
static void take_away(struct place *place, struct text *text)
{
    (void)place;
    remove_line(text, 3);
}
static void take_away_three(struct place *place, struct text *text)
{
    for (int i = 0; i < 3; i++)
        take_away(place, text);
}
static void take_away_and_renumber(struct place *place, struct text *text)
{
    remove_line(text, 3);
    for (int i = 3; i < text->n; i++) {
        struct chain_line line;
        assert_true(chain_line_parse(str_of(text->lines[i]), &line));
        text->lines[i] = (char *)str_printf(place->arena, "{\"sequence\":%lld,\"previousHash\":\"%.*s\",%.*s", (long long)line.sequence - 1,
                                            STR_FMT(line.previous), STR_FMT(line.body)).ptr;
    }
    rehash(place, text, 2);
}
static void insert(struct place *place, struct text *text)
{
    (void)place;
    memmove(text->lines + 4, text->lines + 3, (size_t)(text->n++ - 3) * sizeof *text->lines);
}
static void insert_text(struct place *place, struct text *text)
{
    insert(place, text);
    text->lines[3] = "{\"eventName\":\"Nothing\"}";
}
static void swap(struct place *place, struct text *text)
{
    (void)place;
    char *line = text->lines[2];
    text->lines[2] = text->lines[3];
    text->lines[3] = line;
}
static void drop_file(struct place *place, struct text *text)
{
    (void)place;
    assert_int_equal(unlink(text->path.ptr), 0);
    text->n = -1;
}
static int checkpoint_of(const struct text *text)
{
    for (int i = 0; i < text->n; i++)
        if (strstr(text->lines[i], "\"signature\""))
            return i;
    return -1;
}
static void forge(struct place *place, struct text *text)
{
    (void)place;
    char *at = strstr(text->lines[checkpoint_of(text)], "\"signature\":\"") + 13;
    *at = *at == 'A' ? 'B' : 'A';
}
static void forge_key(struct place *place, struct text *text)
{
    (void)place;
    char *at = strstr(text->lines[checkpoint_of(text)], "\"keyId\":\"") + 9;
    *at = *at == 'a' ? 'b' : 'a';
}
static void cut_tail(struct place *place, struct text *text)
{
    (void)place;
    text->n -= 4;
}
static void cut_within(struct place *place, struct text *text)
{
    store(text);
    assert_int_equal(truncate(text->path.ptr, 700), 0);
    (void)place;
    text->n = -1;
}
static void change_head(struct place *place, struct text *text)
{
    FILE *head = fopen(chain_path(place->arena, place->chain, "head").ptr, "w");
    fputs(text->lines[2], head);
    fclose(head);
}
static void drop_head(struct place *place, struct text *text)
{
    (void)text;
    assert_int_equal(unlink(chain_path(place->arena, place->chain, "head").ptr), 0);
}

enum { FIRST = 0, MIDDLE = 1, LAST = -1 };
static const struct {
    const char *name;
    int file;
    void (*manipulate)(struct place *place, struct text *text);
    enum chain_fault fault;
    int line; /* in its file; 0: not looked at */
} attacks[] = {
    { "a record changed", MIDDLE, change, CHAIN_CHANGED, 3 },
    { "a record changed, all hashes made anew", MIDDLE, change_and_rehash, CHAIN_FORGED, 0 },
    { "a record removed", MIDDLE, take_away, CHAIN_REMOVED, 4 },
    { "three records removed", MIDDLE, take_away_three, CHAIN_REMOVED, 4 },
    { "a record removed, the rest renumbered and hashed anew", MIDDLE, take_away_and_renumber, CHAIN_FORGED, 0 },
    { "a record copied", MIDDLE, insert, CHAIN_INSERTED, 5 },
    { "something else written in between", MIDDLE, insert_text, CHAIN_NO_LINE, 4 },
    { "two records changed places", MIDDLE, swap, CHAIN_REORDERED, 3 },
    { "a file in the middle missing", MIDDLE, drop_file, CHAIN_NO_SEGMENT, 0 },
    { "the first file missing", FIRST, drop_file, CHAIN_NO_SEGMENT, 0 },
    { "the last file missing", LAST, drop_file, CHAIN_TRUNCATED, 0 },
    { "a checkpoint's signature changed", MIDDLE, forge, CHAIN_FORGED, 0 },
    { "a checkpoint of another key", MIDDLE, forge_key, CHAIN_FORGED, 0 },
    { "the last lines cut off", LAST, cut_tail, CHAIN_TRUNCATED, 0 },
    { "the first file cut within a line", FIRST, cut_within, CHAIN_TRUNCATED, 0 },
    { "the last file cut within a line", LAST, cut_within, CHAIN_TRUNCATED, 0 },
    { "the head changed", LAST, change_head, CHAIN_FORGED, 0 },
    { "the head missing", LAST, drop_head, CHAIN_TRUNCATED, 0 },
};

static void each_manipulation_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(attacks); i++) {
        struct place place;
        place_new(&place);
        struct chain_segment *segments;
        struct str why;
        size_t n;
        fill(&place);
        whole(&place);
        assert_true(chain_segments(place.arena, place.chain, &segments, &n, &why));
        struct text text = load(&place, attacks[i].file == LAST ? n - 1 : (size_t)attacks[i].file);
        attacks[i].manipulate(&place, &text);
        if (text.n >= 0)
            store(&text);
        struct chain_report report = verify(&place);
        if (report.fault != attacks[i].fault || (attacks[i].line && report.line != attacks[i].line) || report.text.len == 0)
            fail_msg("%s: found %s at %.*s:%lld (%.*s)", attacks[i].name, chain_fault_name(report.fault), STR_FMT(report.file),
                     (long long)report.line, STR_FMT(report.text));
        place_free(&place);
    }
}

/* Who has taken the end away and lets the server run again has not made it good. */
static void a_cut_log_stays_broken_after_a_restart(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain_segment *segments;
    struct str why;
    size_t n;
    fill(&place);
    assert_true(chain_segments(place.arena, place.chain, &segments, &n, &why));
    struct text text = load(&place, n - 1);
    cut_tail(&place, &text);
    store(&text);
    struct chain *chain = open_chain(&place, NULL);
    append(chain, 1000, true);
    chain_close(chain);
    assert_int_not_equal(verify(&place).fault, CHAIN_WHOLE);
    place_free(&place);
}

/* ---- what happens without intruders ---- */

static void it_goes_on_where_it_left_off(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    for (int run = 0; run < 4; run++) {
        struct chain *chain = open_chain(&place, NULL);
        for (int i = 0; i < 5; i++)
            append(chain, run * 5 + i, i == 4);
        chain_close(chain);
    }
    whole(&place);
    assert_int_equal(verify(&place).last, 4 * (5 + 2));
    place_free(&place);
}

static void an_unused_log_leaves_nothing(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    chain_close(open_chain(&place, NULL));
    struct chain_report report = verify(&place);
    assert_int_equal(report.fault, CHAIN_WHOLE);
    assert_int_equal(report.checked, 0);
    place_free(&place);
}

/* Killed within a write: what was torn goes, what was acknowledged stays. */
static void a_torn_tail_is_healed(void **state)
{
    (void)state;
    static const struct { const char *name, *tail; size_t zeros; } rows[] = {
        { "half a line", "{\"sequence\":64,\"previousHa", 0 },
        { "one byte", "{", 0 },
        { "pages that were never written", "", 8192 },
        { "a whole line of nothing", "\n\n", 0 },
    };
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct place place;
        place_new(&place);
        struct chain *chain = open_chain(&place, NULL);
        for (int i = 0; i < 20; i++)
            append(chain, i, true);
        chain_close(chain);
        int64_t before = verify(&place).last;
        FILE *file = fopen(chain_path(place.arena, place.chain, "000000000001.jsonl").ptr, "a");
        fputs(rows[r].tail, file);
        for (size_t i = 0; i < rows[r].zeros; i++)
            fputc(0, file);
        fclose(file);
        assert_int_not_equal(verify(&place).fault, CHAIN_WHOLE);
        chain = open_chain(&place, NULL);
        append(chain, 20, true);
        chain_close(chain);
        whole(&place);
        assert_int_equal(verify(&place).last, before + 3); /* start, the record, stop */
        place_free(&place);
    }
}

struct crowd {
    struct chain *chain;
    int n, from;
};

static void *crowd_runs(void *ptr)
{
    struct crowd *crowd = ptr;
    for (int i = 0; i < crowd->n; i++)
        append(crowd->chain, crowd->from + i, i % 3 != 0);
    return NULL;
}

static void a_crowd_makes_one_chain_and_shares_its_syncs(void **state)
{
    (void)state;
    enum { THREADS = 16, EACH = 100 };
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, &(struct chain_config){ .segment_bytes = 64 << 10, .checkpoint_records = 50 });
    struct crowd crowds[THREADS];
    struct chain_figures figures;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        crowds[i] = (struct crowd){ chain, EACH, i * EACH };
        pthread_create(&threads[i], NULL, crowd_runs, &crowds[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    chain_figures(chain, &figures);
    assert_true(figures.lines - figures.checkpoints == THREADS * EACH);
    assert_true(figures.syncs < THREADS * EACH);
    chain_close(chain);
    whole(&place);
    assert_true(verify(&place).checked >= THREADS * EACH);
    place_free(&place);
}

static void what_nobody_waits_for_comes_to_disk_and_is_signed(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, &(struct chain_config){ .flush_ms = 5, .checkpoint_ms = 20 });
    struct chain_head head;
    append(chain, 1, false);
    chain_await(chain, 1, 5000);
    chain_head(chain, &head);
    assert_true(head.sequence >= 2); /* the start's checkpoint, and it */
    chain_await(chain, 2, 5000);
    chain_head(chain, &head);
    assert_int_equal(head.sequence, 3); /* signed, as time went by */
    struct chain_report report = verify_as(&place, (struct chain_expectation){ .running = true, .head = &head });
    assert_int_equal(report.fault, CHAIN_WHOLE);
    assert_int_equal(report.after_checkpoint, 0);
    chain_close(chain);
    place_free(&place);
}

/* A writer knows better than its folder. */
static void the_writers_head_shows_what_the_folder_does_not(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, NULL);
    struct chain_head head;
    for (int i = 0; i < 5; i++)
        append(chain, i, true);
    chain_head(chain, &head);
    const struct chain_expectation expected = { .running = true, .head = &head };
    assert_int_equal(verify_as(&place, expected).fault, CHAIN_WHOLE);
    head.hash[7] ^= 1;
    assert_int_equal(verify_as(&place, expected).fault, CHAIN_CHANGED);
    head.sequence++;
    assert_int_equal(verify_as(&place, expected).fault, CHAIN_TRUNCATED);
    chain_close(chain);
    place_free(&place);
}

static void old_files_go_and_the_beginning_is_signed(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    const struct chain_config keeps = { .keep_s = 7 * 86400, .checkpoint_records = 10 };
    for (int day = 0; day < 12; day++) {
        struct chain *chain = open_chain(&place, &(struct chain_config){ .checkpoint_records = 10 });
        for (int i = 0; i < 15; i++)
            append(chain, day * 15 + i, true);
        clock_us += 86400LL * 1000000 + 1; /* it turns to the next file by the clock */
        append(chain, 0, true);
        chain_close(chain);
    }
    whole(&place);
    struct chain_segment *segments;
    struct str why;
    size_t before, after = 0;
    assert_true(chain_segments(place.arena, place.chain, &segments, &before, &why));
    struct chain *chain = open_chain(&place, &keeps);
    append(chain, 1, true);
    for (int i = 0; i < 500; i++) {
        assert_true(chain_segments(place.arena, place.chain, &segments, &after, &why));
        if (after < before)
            break;
        usleep(10000); /* the sweeper is a thread of its own */
    }
    chain_close(chain);
    assert_true(after < before);
    whole(&place);
    assert_true(verify(&place).first > 1);
    assert_true(chain_segments(place.arena, place.chain, &segments, &after, &why));
    assert_int_equal(unlink(segments[0].path.ptr), 0); /* one more than it says */
    assert_int_equal(verify(&place).fault, CHAIN_NO_SEGMENT);
    place_free(&place);
}

static void a_clock_that_goes_back_breaks_nothing(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, &(struct chain_config){ .checkpoint_records = 5 });
    for (int i = 0; i < 40; i++) {
        clock_us -= 3600LL * 1000000;
        append(chain, i, true);
    }
    chain_close(chain);
    whole(&place);
    place_free(&place);
}

/* A disk that takes no more: said, kept, written later, and what did not fit is counted. */
static void a_full_disk_is_told_and_made_good(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, NULL);
    struct rlimit before, tight;
    struct str why = STR_NONE;
    char text[128];
    append(chain, 0, true);
    assert_true(chain_ready(chain, place.arena, &why));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    tight = (struct rlimit){ 2048, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &tight);
    assert_false(chain_ready(chain, place.arena, &why));
    assert_true(why.len > 0);
    int refused = 0;
    for (int i = 1; i <= 40; i++) {
        snprintf(text, sizeof text, "{\"eventName\":\"Number%d\"}", i);
        refused += !chain_append(chain, str_of(text), true);
    }
    assert_true(refused > 20);
    char *large = malloc(1 << 20);
    memset(large, 'x', 1 << 20);
    memcpy(large, "{\"a\":\"", 6);
    memcpy(large + (1 << 20) - 2, "\"}", 2);
    for (int i = 0; i < 12; i++)
        assert_false(chain_append(chain, (struct str){ large, 1 << 20 }, true));
    free(large);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(chain_ready(chain, place.arena, &why));
    append(chain, 41, true);
    chain_close(chain);
    whole(&place);
    struct chain_report report = verify(&place);
    assert_int_equal(report.last, 1 + 1 + 40 + 12 - report.lost + 1 + 1); /* start, records, stop */
    assert_true(report.lost >= 4);
    place_free(&place);
}

static void only_one_writes_a_folder(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct chain *chain = open_chain(&place, NULL);
    append(chain, 1, true);
    pid_t child = fork();
    if (child == 0)
        _exit(chain_is_written(place.arena, place.chain) ? 7 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(WEXITSTATUS(status), 7);
    chain_close(chain);
    assert_false(chain_is_written(place.arena, place.chain));
    place_free(&place);
}

static void part_of_it_and_with_keys_from_elsewhere(void **state)
{
    (void)state;
    struct place place;
    place_new(&place);
    struct place other;
    place_new(&other);
    struct str own, foreign, why;
    fill(&place);
    fill(&other);
    assert_true(chain_read(place.arena, chain_path(place.arena, place.chain, "public-key.pem").ptr, &own, &why));
    assert_true(chain_read(place.arena, chain_path(place.arena, other.chain, "public-key.pem").ptr, &foreign, &why));
    assert_int_equal(verify_as(&place, (struct chain_expectation){ .keys = own }).fault, CHAIN_WHOLE);
    assert_int_equal(verify_as(&place, (struct chain_expectation){ .keys = foreign }).fault, CHAIN_FORGED);
    struct chain_report report = verify_as(&place, (struct chain_expectation){ .from = 40, .to = 45 });
    assert_int_equal(report.fault, CHAIN_WHOLE);
    assert_true(report.first > 1 && report.first <= 40 && report.last >= 45 && report.last < RECORDS);
    struct text text = load(&place, 0);
    change(&place, &text);
    store(&text);
    assert_int_equal(verify_as(&place, (struct chain_expectation){ .from = 40 }).fault, CHAIN_WHOLE);
    assert_int_equal(verify(&place).fault, CHAIN_CHANGED);
    place_free(&place);
    place_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_manipulation_is_found),
        cmocka_unit_test(a_cut_log_stays_broken_after_a_restart),
        cmocka_unit_test(it_goes_on_where_it_left_off),
        cmocka_unit_test(an_unused_log_leaves_nothing),
        cmocka_unit_test(a_torn_tail_is_healed),
        cmocka_unit_test(a_crowd_makes_one_chain_and_shares_its_syncs),
        cmocka_unit_test(what_nobody_waits_for_comes_to_disk_and_is_signed),
        cmocka_unit_test(the_writers_head_shows_what_the_folder_does_not),
        cmocka_unit_test(old_files_go_and_the_beginning_is_signed),
        cmocka_unit_test(a_clock_that_goes_back_breaks_nothing),
        cmocka_unit_test(a_full_disk_is_told_and_made_good),
        cmocka_unit_test(only_one_writes_a_folder),
        cmocka_unit_test(part_of_it_and_with_keys_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
