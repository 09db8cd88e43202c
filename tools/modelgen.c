/* modelgen openapi/<service>.yaml OUT.h OUT.c
 *
 * Writes a service's typed structs, descriptor tables and handler prototypes in the C
 * representation that wire/model.h documents. */
#include "model.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: modelgen openapi/<service>.yaml OUT.h OUT.c\n");
        return 1;
    }
    static struct model model;
    model_load(&model, argv[1]);
    const char *name = strrchr(argv[2], '/');
    emit_header(&model, argv[2]);
    emit_source(&model, argv[3], name ? name + 1 : argv[2]);
    return 0;
}
