#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/embed.h"
#include "gateway/store/deployment.h"
#include "gateway/store/rest_api.h"
#include "gateway/store/vpc_link.h"

struct world {
    struct arena *arena;
    char path[64];
    struct db *db;
};

static const struct api_key pets = { STR_INIT("000000000000"), STR_INIT("us-east-1"), STR_INIT("pets") };

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct migration steps[8];
    struct str why;
    int code;
    size_t n = 0;
    for (const struct embedded_file *file = embedded_migrations; file->path; file++)
        if (str_starts(str_of(file->path), STR("gateway/store/")))
            steps[n++] = (struct migration){ "gateway", atoi(file->path + strlen("gateway/store/")), file->bytes };
    world->arena = arena_new(4096);
    snprintf(world->path, sizeof world->path, "/tmp/gh_test_rest_XXXXXX");
    close(mkstemp(world->path));
    world->db = db_open(world->path, world->arena, &why, &code);
    assert_non_null(world->db);
    assert_true(db_migrate(world->db, steps, n, world->arena, &why, &code));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    db_close(world->db);
    for (size_t i = 0; i < COUNT(ends); i++)
        unlink(str_printf(world->arena, "%s%s", world->path, ends[i]).ptr);
    arena_free(world->arena);
    free(world);
    return 0;
}

static json_t *doc(struct world *world, const char *text)
{
    struct str why;
    json_t *value = json_parse(world->arena, str_of(text), &why);
    assert_non_null(value);
    return value;
}

static void keep_api(struct world *world, struct api_key key, int64_t created_us, const char *text)
{
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    api_insert(&tx, key, created_us, doc(world, text));
    assert_null(tx_commit(&tx));
}

static void an_api_comes_back_as_it_was(void **state)
{
    struct world *world = *state;
    json_t *api;
    keep_api(world, pets, 1, "{\"id\":\"pets\",\"resources\":{\"r\":{\"path\":\"/\"}},\"b\":1,\"a\":2}");
    assert_null(api_load(world->db, NULL, world->arena, pets, &api));
    assert_string_equal(json_print(world->arena, api).ptr,
                        "{\"id\":\"pets\",\"resources\":{\"r\":{\"path\":\"/\"}},\"b\":1,\"a\":2}");
}

static void an_api_is_known_in_its_account_and_region_only(void **state)
{
    struct world *world = *state;
    struct api_key other_account = pets, other_region = pets;
    json_t *api;
    keep_api(world, pets, 1, "{}");
    other_account.account = STR("111111111111");
    other_region.region = STR("eu-west-1");
    assert_null(api_load(world->db, NULL, world->arena, other_account, &api));
    assert_null(api);
    assert_null(api_load(world->db, NULL, world->arena, other_region, &api));
    assert_null(api);
}

static void a_rolled_back_change_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct tx tx;
    json_t *api;
    keep_api(world, pets, 1, "{\"v\":1}");
    tx_begin(&tx, world->db, world->arena);
    api_save(&tx, pets.id, doc(world, "{\"v\":2}"));
    tx_rollback(&tx);
    assert_null(api_load(world->db, NULL, world->arena, pets, &api));
    assert_int_equal(json_i64(api, "v", 0), 1);
}

static void pages_follow_the_order_of_creation(void **state)
{
    struct world *world = *state;
    struct api_page page;
    for (int i = 0; i < 5; i++) { /* ids run against the order of creation; two share an instant */
        struct api_key key = pets;
        key.id = str_printf(world->arena, "api%d", 9 - i);
        keep_api(world, key, i / 2, str_printf(world->arena, "{\"id\":\"api%d\"}", 9 - i).ptr);
    }
    struct strbuf seen = strbuf_in(world->arena, 64);
    int64_t after_us = -1;
    struct str after_id = STR("");
    do {
        assert_null(api_list(world->db, world->arena, pets.account, pets.region, after_us, after_id, 2, &page));
        for (size_t i = 0; i < page.docs.n; i++) {
            strbuf_add(&seen, json_str(page.docs.items[i], "id"));
            strbuf_char(&seen, ' ');
            after_id = json_str(page.docs.items[i], "id");
        }
        after_us = page.last_us;
    } while (page.more);
    assert_string_equal(strbuf_view(&seen).ptr, "api8 api9 api6 api7 api5 ");
}

static void put_stage(struct world *world, const char *name, const char *deployment)
{
    struct tx tx;
    struct str text = str_printf(world->arena, "{\"stageName\":\"%s\",\"deploymentId\":\"%s\"}", name, deployment);
    tx_begin(&tx, world->db, world->arena);
    stage_save(&tx, pets.id, doc(world, text.ptr));
    assert_null(tx_commit(&tx));
}

/* Of the draft as it is. */
static void put_deployment(struct world *world, const char *id)
{
    struct tx tx;
    struct str text = str_printf(world->arena, "{\"id\":\"%s\"}", id);
    tx_begin(&tx, world->db, world->arena);
    deployment_insert(&tx, pets.id, str_of(id), 1, doc(world, text.ptr));
    assert_null(tx_commit(&tx));
}

static void a_stage_serves_its_deployment_not_the_draft(void **state)
{
    struct world *world = *state;
    struct stage_source source;
    struct tx tx;
    bool found;
    keep_api(world, pets, 1, "{\"v\":1}");
    put_deployment(world, "d1");
    put_stage(world, "dev", "d1");
    tx_begin(&tx, world->db, world->arena);
    api_save(&tx, pets.id, doc(world, "{\"v\":2}"));
    assert_null(tx_commit(&tx));
    assert_null(stage_source_load(world->db, NULL, world->arena, pets.id, STR("dev"), &found, &source));
    assert_true(found);
    assert_int_equal(json_i64(source.api, "v", 0), 1);
    assert_true(str_is(source.deployment_id, "d1"));
    assert_true(str_eq(source.account, pets.account));
    assert_true(str_is(json_str(source.settings, "stageName"), "dev"));

    put_deployment(world, "d2");
    put_stage(world, "dev", "d2"); /* the same stage moves */
    assert_null(stage_source_load(world->db, NULL, world->arena, pets.id, STR("dev"), &found, &source));
    assert_int_equal(json_i64(source.api, "v", 0), 2);
    assert_null(stage_source_load(world->db, NULL, world->arena, pets.id, STR("prod"), &found, &source));
    assert_false(found);
}

static void the_start_sees_every_stage(void **state)
{
    struct world *world = *state;
    struct stage_sources all;
    keep_api(world, pets, 1, "{}");
    put_deployment(world, "d1");
    put_stage(world, "prod", "d1");
    put_stage(world, "dev", "d1");
    assert_null(stage_sources_open(&all, world->db, world->arena));
    assert_true(stage_sources_next(&all));
    assert_true(str_is(all.stage, "dev"));
    assert_true(stage_sources_next(&all));
    assert_true(str_is(all.stage, "prod"));
    assert_false(stage_sources_next(&all));
}

static void deleting_an_api_takes_everything_along(void **state)
{
    struct world *world = *state;
    struct stage_sources all;
    struct docs docs;
    struct tx tx;
    json_t *found;
    keep_api(world, pets, 1, "{}");
    put_deployment(world, "d1");
    put_stage(world, "dev", "d1");
    tx_begin(&tx, world->db, world->arena);
    documentation_save(&tx, pets.id, STR("part"), STR("p1"), doc(world, "{}"));
    api_delete(&tx, pets.id);
    assert_null(tx_commit(&tx));
    assert_null(stage_sources_open(&all, world->db, world->arena));
    assert_false(stage_sources_next(&all));
    assert_null(deployment_load(world->db, NULL, world->arena, pets.id, STR("d1"), &found));
    assert_null(found);
    assert_null(documentation_list(world->db, NULL, world->arena, pets.id, STR("part"), &docs));
    assert_int_equal(docs.n, 0);
}

static void vpc_links_are_kept_by_account(void **state)
{
    struct world *world = *state;
    struct docs docs;
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    vpc_link_save(&tx, pets, doc(world, "{\"id\":\"pets\",\"name\":\"a\"}"));
    vpc_link_save(&tx, pets, doc(world, "{\"id\":\"pets\",\"name\":\"b\"}"));
    assert_null(tx_commit(&tx));
    assert_null(vpc_link_list(world->db, world->arena, pets.account, pets.region, &docs));
    assert_int_equal(docs.n, 1);
    assert_true(str_is(json_str(docs.items[0], "name"), "b"));
    assert_null(vpc_link_list(world->db, world->arena, STR("111111111111"), pets.region, &docs));
    assert_int_equal(docs.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_api_comes_back_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(an_api_is_known_in_its_account_and_region_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rolled_back_change_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_follow_the_order_of_creation, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stage_serves_its_deployment_not_the_draft, setup, teardown),
        cmocka_unit_test_setup_teardown(the_start_sees_every_stage, setup, teardown),
        cmocka_unit_test_setup_teardown(deleting_an_api_takes_everything_along, setup, teardown),
        cmocka_unit_test_setup_teardown(vpc_links_are_kept_by_account, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
