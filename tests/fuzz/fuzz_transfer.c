/* Bytes between client and backend: request targets, contents' codings, contentHandling. The first byte chooses. */
#include <stdint.h>
#include <stdlib.h>

#include "core/coding.h"
#include "gateway/content.h"
#include "gateway/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void codings(struct arena *arena, struct str bytes)
{
    struct str out, again;
    for (int coding = CODING_GZIP; coding <= CODING_DEFLATE; coding++) {
        enum inflated result = inflate_whole(arena, (enum coding)coding, bytes, 1 << 20, &out);
        if (result == INFLATED && out.len > 1 << 20)
            abort(); /* never more than was allowed */
        struct str packed = deflate_whole(arena, (enum coding)coding, bytes);
        if (inflate_whole(arena, (enum coding)coding, packed, bytes.len, &again) != INFLATED || !str_eq(again, bytes))
            abort(); /* what goes in comes out */
    }
    coding_wanted(bytes);
    coding_of(bytes);
}

static void contents(struct arena *arena, struct str bytes, unsigned how)
{
    struct str out, again;
    bool is_text;
    if (!content_convert(arena, bytes, how & 1, how >> 1 & 1, (enum content_handling)(how >> 2 & 3) % 3, &out, &is_text) ||
        !is_text)
        return;
    /* a text is UTF-8, and stays what it is */
    content_convert(arena, out, false, false, CONTENT_AS_IS, &again, &is_text);
    if (!str_eq(again, out))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct arena *arena = arena_new(64 * 1024);
    struct str bytes = { (const char *)data + 1, size - 1 };
    if (data[0] % 3 == 0)
        codings(arena, bytes);
    else if (data[0] % 3 == 1)
        contents(arena, bytes, data[0] / 3);
    else
        target_fault(arena, bytes, bytes);
    arena_free(arena);
    return 0;
}
