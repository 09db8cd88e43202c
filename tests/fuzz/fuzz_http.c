/* Bytes from clients and from upstreams. Whatever they are: reading ends with a verdict, and cutting
 * them anywhere changes nothing (an attacker chooses the segments).
 * Input: a byte that says where to cut, one that picks the reader (r request, c chunks, a answer, h
 * answer to HEAD), then the bytes. */
#include "core/http_answer.h"
#include "core/http_chunk.h"
#include "core/http_framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void request(struct arena *arena, struct str bytes, size_t cut)
{
    size_t line = 0, again = 0;
    ptrdiff_t whole = http_head_end(bytes, &line);
    ptrdiff_t parts = http_head_end(str_sub(bytes, 0, cut), &again);
    if (parts == 0)
        parts = http_head_end(bytes, &again);
    same(whole == parts);
    if (whole <= 0)
        return;
    struct http_head head;
    if (http_head_parse(arena, str_sub(bytes, 0, (size_t)whole), &head) != 0)
        return;
    /* What passes can be written again without becoming anything else. */
    for (size_t i = 0; i < head.headers.n; i++)
        same(http_is_token(head.headers.items[i].name) && http_is_field_value(head.headers.items[i].value));
    same(http_is_token(head.method) && head.target.len > 0 && head.content_length >= -1);
    for (size_t i = 0; i < head.target.len; i++)
        same(head.target.ptr[i] > ' ' && head.target.ptr[i] < 0x7f && head.target.ptr[i] != '#');
    same(!(head.chunked && http_header_has(&head.headers, "content-length")));
}

struct outcome {
    int last;
    size_t taken; /* bytes consumed */
    struct strbuf body;
};

static void run_chunks(struct http_chunk *chunk, struct str in, struct outcome *out)
{
    struct str before = in, piece;
    while ((out->last = (int)http_chunk_next(chunk, &in, &piece)) == HTTP_CHUNK_DATA)
        strbuf_add(&out->body, piece);
    out->taken += before.len - in.len;
}

static void run_answer(struct http_answer *answer, struct str in, struct outcome *out)
{
    struct str before = in, piece;
    do {
        out->last = (int)http_answer_next(answer, &in, &piece);
        if (out->last == HTTP_ANSWER_PIECE)
            strbuf_add(&out->body, piece);
    } while (out->last == HTTP_ANSWER_PIECE || out->last == HTTP_ANSWER_HEAD);
    out->taken += before.len - in.len;
}

static void compare(struct outcome *whole, struct outcome *parts, int bad)
{
    same(whole->last == parts->last);
    if (whole->last == bad)
        return; /* how far it came until then may differ */
    same(whole->taken == parts->taken);
    same(str_eq(strbuf_view(&whole->body), strbuf_view(&parts->body)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct arena *arena = arena_new(16 * 1024);
    struct str bytes = { (const char *)data + 2, size - 2 };
    size_t cut = bytes.len ? data[0] * bytes.len / 256 : 0;
    struct outcome whole = { .body = strbuf_in(arena, 100) }, parts = { .body = strbuf_in(arena, 100) };
    if (data[1] == 'c') {
        struct http_chunk one = { 0 }, two = { 0 };
        run_chunks(&one, bytes, &whole);
        run_chunks(&two, str_sub(bytes, 0, cut), &parts);
        if (parts.last == HTTP_CHUNK_MORE)
            run_chunks(&two, str_from(bytes, cut), &parts);
        compare(&whole, &parts, HTTP_CHUNK_BAD);
    } else if (data[1] == 'a' || data[1] == 'h') {
        struct http_answer one, two;
        http_answer_init(&one, arena, data[1] == 'h');
        http_answer_init(&two, arena, data[1] == 'h');
        run_answer(&one, bytes, &whole);
        run_answer(&two, str_sub(bytes, 0, cut), &parts);
        if (parts.last == HTTP_ANSWER_MORE)
            run_answer(&two, str_from(bytes, cut), &parts);
        compare(&whole, &parts, HTTP_ANSWER_BAD);
        same(http_answer_may_end(&one) == http_answer_may_end(&two) || whole.last == HTTP_ANSWER_BAD);
    } else {
        request(arena, bytes, cut);
    }
    arena_free(arena);
    return 0;
}
