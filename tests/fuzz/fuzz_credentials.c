/* What users of IAM upload: SSH public keys, certificates with chain and key. A key that is taken is the same in both
 * encodings; a certificate that is taken has a digest. */
#include <stdlib.h>

#include "identity/iam/credentials/pem.h"
#include "identity/iam/credentials/ssh_public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_ssh(struct arena *arena, struct str text)
{
    struct ssh_public_key key, again;
    if (ssh_public_key_read(arena, text, &key) != SSH_KEY_OK)
        return;
    const struct str texts[] = { ssh_public_key_as_ssh(arena, &key), ssh_public_key_as_pem(arena, &key) };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (ssh_public_key_read(arena, texts[i], &again) != SSH_KEY_OK || !str_eq(again.blob, key.blob) ||
            !str_eq(again.fingerprint, key.fingerprint) || again.pem != (i == 1))
            abort();
}

/* Certificate, key and chain, with a 0 between them. */
static void check_pem(struct arena *arena, struct str text)
{
    struct str rest = text, body = STR(""), key = STR(""), chain = STR_NONE;
    struct pem_certificate certificate;
    int index;
    str_split(&rest, '\0', &body);
    if (rest.ptr)
        str_split(&rest, '\0', &key);
    if (rest.ptr)
        chain = rest;
    if (pem_server_check(arena, body, key, chain, &certificate, &index) == PEM_OK && certificate.digest.len != 64)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str text = { (const char *)data, size };
    check_ssh(arena, text);
    check_pem(arena, text);
    arena_free(arena);
    return 0;
}
