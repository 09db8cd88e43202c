#include "admin/outbox.h"

#include "core/id.h"
#include "core/json.h"
#include "core/time.h"

gh_err outbox_keep(void *ctx, struct arena *arena, const struct message *message)
{
    const struct outbox *outbox = ctx;
    struct str id = id_uuid(outbox->env, arena);
    int64_t now_us = env_now_us(outbox->env);
    json_t *doc = json_own(arena, json_object());
    json_set_str(doc, "id", id);
    json_set_str(doc, "to", message->to);
    json_set_str(doc, "channel", message->channel);
    json_set_str(doc, "subject", message->subject);
    json_set_str(doc, "body", message->body);
    json_set_str(doc, "code", message->code);
    json_set_str(doc, "link", message->link);
    json_set_str(doc, "at", time_iso8601_ms(arena, now_us));
    return db_run(outbox->db, arena, "INSERT INTO outbox (id, account, recipient, sent_us, sealed) VALUES ($1, $2, $3, $4, $5)",
                  "sssis", id, message->account, message->to, now_us,
                  seal(outbox->sealer, arena, id, json_print(arena, doc)));
}

gh_err outbox_list(const struct outbox *outbox, struct arena *arena, struct str to, struct str *json)
{
    struct rows rows;
    rows_open(&rows, outbox->db, NULL, arena,
              "SELECT id, sealed FROM (SELECT id, sealed, sent_us FROM outbox WHERE recipient = $1 OR $1 IS NULL "
              "ORDER BY sent_us DESC LIMIT 1000) AS newest ORDER BY sent_us",
              "s", to);
    struct strbuf list = strbuf_in(arena, 256);
    struct str plain;
    strbuf_char(&list, '[');
    while (rows_next(&rows)) {
        struct str id = rows_str(&rows, 0);
        if (!unseal(outbox->sealer, arena, id, rows_str(&rows, 1), &plain))
            continue; /* of another key file: nobody can read it any more */
        if (list.len > 1)
            strbuf_char(&list, ',');
        strbuf_add(&list, plain);
    }
    strbuf_char(&list, ']');
    *json = strbuf_view(&list);
    return rows_close(&rows);
}

gh_err outbox_clear(const struct outbox *outbox, struct arena *arena, struct str account)
{
    return db_run(outbox->db, arena, "DELETE FROM outbox WHERE account = $1", "s", account);
}
