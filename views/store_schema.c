#include <fcntl.h>
#include <unistd.h>

#include "views/file.h"
#include "views/store_private.h"

/* STORE/schema.graphql: a copy of the schema in force, so that views can come
 * back where views/ was deleted and nobody offers a schema. It is read only
 * then. */

#define COPY "schema.graphql"

/* Without it all goes on: the generations have the schema, too. */
void
kappa_store_keep_schema(kappa_store_t *store, kappa_str_t text)
{
    (void)kappa_file_replace(store->dir, COPY, text, NULL);
}

/* Stores of older versions have none. */
void
kappa_store_need_schema(kappa_store_t *store)
{
    if (store->edition
        && faccessat(store->dir, COPY, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
        kappa_store_keep_schema(store, store->edition->text);
    }
}

kappa_status_t
kappa_store_kept_schema(
    kappa_store_t *store, kappa_str_t *text, kappa_errors_t *errors)
{
    return kappa_file_read(store->dir, COPY, KAPPA_SCHEMA_BYTES_MAX,
        store->scratch, text, errors);
}
