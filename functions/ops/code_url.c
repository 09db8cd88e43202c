#include "functions/ops/code_url.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/digest.h"
#include "functions/fleet.h"
#include "functions/package.h"

enum { VALID_S = 600 };

/* "/_gatehouse/functions/code/HEX/EXPIRES/MAC" */
static const char prefix[] = "/_gatehouse/functions/code/";

static struct str mac_of(const struct sealer *sealer, struct arena *arena, struct str code, struct str expires)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(sealer, STR("function code link"), str_printf(arena, "%.*s/%.*s", STR_FMT(code), STR_FMT(expires)), mac);
    return hex_encode(arena, digest_str(mac, sizeof mac));
}

struct str code_url(struct call *call, struct str code)
{
    int64_t until_s = call->now_us / 1000000 + VALID_S;
    struct str expires = str_printf(call->arena, "%lld", (long long)until_s);
    return str_printf(call->arena, "%.*s%s%.*s/%.*s/%.*s", STR_FMT(call->base_url), prefix, STR_FMT(code), STR_FMT(expires),
                      STR_FMT(mac_of(call->sealer, call->arena, code, expires)));
}

bool functions_code_by_link(struct functions *f, struct str path, struct arena *arena, struct str *zip)
{
    struct str rest = path, code, expires, mac;
    int64_t until_s;
    if (!str_starts(path, STR(prefix)))
        return false;
    rest = str_from(path, sizeof prefix - 1);
    if (!str_split(&rest, '/', &code) || !str_split(&rest, '/', &expires) || !str_split(&rest, '/', &mac) || rest.ptr ||
        !digest_equal(mac, mac_of(f->config.sealer, arena, code, expires)) || !str_i64(expires, &until_s) ||
        env_now_s(f->config.env) > until_s)
        return false;
    struct stat info;
    int fd = open(package_zip_path(f->folder, str_c(arena, code), arena).ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    char *bytes = arena_alloc(arena, (size_t)info.st_size + 1, 1);
    ssize_t got = pread(fd, bytes, (size_t)info.st_size, 0);
    close(fd);
    *zip = (struct str){ bytes, (size_t)info.st_size };
    return got == info.st_size;
}
