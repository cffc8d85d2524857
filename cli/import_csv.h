#ifndef KAPPA_CLI_IMPORT_CSV_H
#define KAPPA_CLI_IMPORT_CSV_H

#include "log/ndjson.h"
#include "views/model.h"

/* CSV as events. Its first record names the columns. Without a thing they are
 * an event's members (as `kappa export --format csv` writes them), else the
 * members of data of events of that thing and verb, typed by the schema. */

typedef struct {
    const char *thing; /* NULL: each line says it */
    const char *verb;
    const char *effect; /* NULL: what the schema says */
    const char *id;     /* the column that tells a line; NULL: all of it */
    const char *time;   /* the column with the event's time; NULL: now */
} kappa_import_csv_options_t;

typedef struct kappa_import_csv_s kappa_import_csv_t;

/* model: what types columns have. Both outlive it. */
kappa_status_t kappa_import_csv_create(
    const kappa_import_csv_options_t *options, const kappa_model_t *model,
    kappa_import_csv_t **out);
void kappa_import_csv_destroy(kappa_import_csv_t *csv); /* NULL is fine */

/* As kappa_ndjson_feed and kappa_ndjson_end. */
kappa_status_t kappa_import_csv_feed(
    kappa_import_csv_t *csv, kappa_ndjson_t *batch, kappa_str_t *bytes);
kappa_status_t kappa_import_csv_end(
    kappa_import_csv_t *csv, kappa_ndjson_t *batch);

#endif
