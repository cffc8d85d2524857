#include "ngx_kappa_module/ngx_http_kappa.h"

#include <signal.h>

/* Where metrics are kept: the shared memory zone and a worker's slot in it.
 * ngx_http_kappa_metrics_count.c counts, ngx_http_kappa_metrics_page.c writes
 * what was counted. */

#define ZONE_VERSION 1
/* Places for applications come by so many, so that one more does not mean
 * another zone, and all counters from nothing. */
#define BLOCKS_STEP 4

typedef struct {
    ngx_pid_t pid; /* 0: nobody's */
    ngx_http_kappa_block_t blocks[];
} ngx_http_kappa_slot_t;

typedef struct {
    uint32_t version;
    uint32_t block_count;    /* of a slot */
    ngx_atomic_t slot_count; /* that were ever used, from the first */
    u_char *slots;
    uint64_t names[]; /* of the blocks; 0: free */
} ngx_http_kappa_zone_t;

/* Where what is counted goes when there is no zone, or before it. */
static ngx_http_kappa_block_t ngx_http_kappa_nowhere;
ngx_http_kappa_block_t *ngx_http_kappa_common = &ngx_http_kappa_nowhere;
static ngx_http_kappa_slot_t *ngx_http_kappa_slot;

/* --- the zone --- */

static size_t
ngx_http_kappa_slot_bytes(ngx_uint_t block_count)
{
    return ngx_align(sizeof(ngx_http_kappa_slot_t)
            + block_count * sizeof(ngx_http_kappa_block_t),
        NGX_CPU_CACHE_LINE);
}

static size_t
ngx_http_kappa_zone_bytes(ngx_uint_t block_count)
{
    return ngx_align(
               sizeof(ngx_http_kappa_zone_t) + block_count * sizeof(uint64_t),
               NGX_CPU_CACHE_LINE)
        + NGX_MAX_PROCESSES * ngx_http_kappa_slot_bytes(block_count);
}

/* How many blocks a slot has for so many applications. */
static ngx_uint_t
ngx_http_kappa_block_count(ngx_uint_t apps)
{
    return ngx_align(apps + 1, BLOCKS_STEP);
}

static uint64_t
ngx_http_kappa_block_name(const ngx_http_kappa_app_t *app)
{
    return (uint64_t)app->name.len << 32
        | ngx_crc32_long(app->name.data, app->name.len);
}

/* Pages come as zeros, and only those that are used take memory. */
static ngx_http_kappa_zone_t *
ngx_http_kappa_zone_create(ngx_shm_zone_t *shm_zone, ngx_uint_t block_count)
{
    ngx_slab_pool_t *pool = (ngx_slab_pool_t *)shm_zone->shm.addr;
    ngx_http_kappa_zone_t *zone =
        ngx_slab_alloc(pool, ngx_http_kappa_zone_bytes(block_count));

    if (zone == NULL) {
        return NULL;
    }
    zone->version = ZONE_VERSION;
    zone->block_count = (uint32_t)block_count;
    zone->slots = (u_char *)zone + ngx_http_kappa_zone_bytes(block_count)
        - NGX_MAX_PROCESSES * ngx_http_kappa_slot_bytes(block_count);
    return zone;
}

static ngx_http_kappa_slot_t *
ngx_http_kappa_slot_at(ngx_http_kappa_zone_t *zone, ngx_uint_t i)
{
    return (ngx_http_kappa_slot_t *)(zone->slots
        + i * ngx_http_kappa_slot_bytes(zone->block_count));
}

static bool
ngx_http_kappa_name_is_used(ngx_array_t *apps, uint64_t name)
{
    ngx_http_kappa_app_t **app = apps->elts;

    for (ngx_uint_t i = 0; i < apps->nelts; i++) {
        if (ngx_http_kappa_block_name(app[i]) == name) {
            return true;
        }
    }
    return false;
}

/* The place of an application that is gone; there is one. */
static ngx_uint_t
ngx_http_kappa_block_reclaim(ngx_http_kappa_zone_t *zone, ngx_array_t *apps)
{
    ngx_uint_t i = 1;

    while (ngx_http_kappa_name_is_used(apps, zone->names[i])) {
        i++;
    }
    for (ngx_uint_t s = 0; s < zone->slot_count; s++) {
        ngx_memzero(&ngx_http_kappa_slot_at(zone, s)->blocks[i],
            sizeof(ngx_http_kappa_block_t));
    }
    return i;
}

/* An application keeps its block over reloads. */
static ngx_uint_t
ngx_http_kappa_block_of(ngx_http_kappa_zone_t *zone, ngx_array_t *apps,
    const ngx_http_kappa_app_t *app)
{
    uint64_t name = ngx_http_kappa_block_name(app);
    ngx_uint_t empty = 0;

    for (ngx_uint_t i = zone->block_count - 1; i > 0; i--) {
        if (zone->names[i] == name) {
            return i;
        }
        if (zone->names[i] == 0) {
            empty = i;
        }
    }
    if (empty == 0) {
        empty = ngx_http_kappa_block_reclaim(zone, apps);
    }
    zone->names[empty] = name;
    return empty;
}

static ngx_int_t
ngx_http_kappa_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_kappa_main_conf_t *kmcf = shm_zone->data;
    ngx_http_kappa_main_conf_t *before = data;
    ngx_uint_t block_count = ngx_http_kappa_block_count(kmcf->apps.nelts);
    ngx_http_kappa_zone_t *zone = before ? before->metrics : NULL;

    if (zone == NULL || zone->version != ZONE_VERSION
        || zone->block_count != block_count) {
        zone = ngx_http_kappa_zone_create(shm_zone, block_count);
    }
    if (zone == NULL) {
        return NGX_ERROR;
    }
    kmcf->metrics = zone;
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->block = ngx_http_kappa_block_of(zone, &kmcf->apps, apps[i]);
    }
    return NGX_OK;
}

/* nginx's page table comes before the pages. */
static size_t
ngx_http_kappa_shm_bytes(ngx_uint_t apps)
{
    size_t bytes = ngx_http_kappa_zone_bytes(ngx_http_kappa_block_count(apps));
    size_t pages = bytes / ngx_pagesize + 1;

    return (pages + 8) * ngx_pagesize
        + ngx_align(pages * sizeof(ngx_slab_page_t) * 2, ngx_pagesize);
}

char *
ngx_http_kappa_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    static ngx_str_t name = ngx_string("kappa_metrics");
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    (void)cmd;
    (void)conf;
    if (clcf->handler == ngx_http_kappa_metrics_handler) {
        return "is duplicate";
    }
    clcf->handler = ngx_http_kappa_metrics_handler;
    /* How large is known when all applications are. */
    kmcf->metrics_zone =
        ngx_shared_memory_add(cf, &name, 0, &ngx_http_kappa_module);
    return kmcf->metrics_zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}

void
ngx_http_kappa_metrics_configure(ngx_conf_t *cf)
{
    ngx_http_kappa_main_conf_t *kmcf =
        ngx_http_conf_get_module_main_conf(cf, ngx_http_kappa_module);

    if (kmcf->metrics_zone != NULL) {
        kmcf->metrics_zone->shm.size =
            ngx_http_kappa_shm_bytes(kmcf->apps.nelts);
        kmcf->metrics_zone->init = ngx_http_kappa_zone_init;
        kmcf->metrics_zone->data = kmcf;
    }
}

/* --- a worker's slot --- */

void
ngx_http_kappa_metrics_start(ngx_http_kappa_main_conf_t *kmcf)
{
    ngx_http_kappa_app_t **apps = kmcf->apps.elts;
    ngx_http_kappa_zone_t *zone = kmcf->metrics;

    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->counts = &ngx_http_kappa_nowhere;
    }
    if (zone == NULL || ngx_process_slot < 0
        || ngx_process_slot >= NGX_MAX_PROCESSES) {
        return;
    }
    ngx_http_kappa_slot_t *slot =
        ngx_http_kappa_slot_at(zone, (ngx_uint_t)ngx_process_slot);
    for (ngx_uint_t i = 0; i < zone->block_count; i++) {
        ngx_memzero(slot->blocks[i].gauges, sizeof(slot->blocks[i].gauges));
    }
    slot->pid = ngx_pid;
    ngx_http_kappa_slot = slot;
    ngx_http_kappa_common = &slot->blocks[0];
    for (ngx_uint_t i = 0; i < kmcf->apps.nelts; i++) {
        apps[i]->counts = &slot->blocks[apps[i]->block];
    }
    ngx_atomic_uint_t mine = (ngx_atomic_uint_t)ngx_process_slot + 1, seen;
    do {
        seen = zone->slot_count;
    } while (
        seen < mine && !ngx_atomic_cmp_set(&zone->slot_count, seen, mine));
}

void
ngx_http_kappa_metrics_stop(void)
{
    if (ngx_http_kappa_slot != NULL) {
        ngx_http_kappa_slot->pid = 0;
    }
}

/* --- reading --- */

static void
ngx_http_kappa_block_sum(ngx_http_kappa_block_t *sum,
    const ngx_http_kappa_block_t *block, bool alive)
{
    const uint64_t *from = (const uint64_t *)block;
    uint64_t *to = (uint64_t *)sum;
    size_t words = alive
        ? sizeof(*block) / sizeof(uint64_t)
        : offsetof(ngx_http_kappa_block_t, gauges) / sizeof(uint64_t);

    for (size_t i = 0; i < words; i++) {
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}

static bool
ngx_http_kappa_slot_is_alive(const ngx_http_kappa_slot_t *slot)
{
    return slot->pid > 0
        && (slot->pid == ngx_pid || kill(slot->pid, 0) == 0
            || ngx_errno == NGX_EPERM);
}

ngx_uint_t
ngx_http_kappa_metrics_sum(ngx_http_kappa_main_conf_t *kmcf,
    const ngx_http_kappa_app_t *app, ngx_http_kappa_block_t *sum)
{
    ngx_http_kappa_zone_t *zone = kmcf->metrics;
    ngx_uint_t workers = 0;

    ngx_memzero(sum, sizeof(*sum));
    for (ngx_uint_t i = 0; zone != NULL && i < zone->slot_count; i++) {
        ngx_http_kappa_slot_t *slot = ngx_http_kappa_slot_at(zone, i);
        bool alive = ngx_http_kappa_slot_is_alive(slot);

        ngx_http_kappa_block_sum(
            sum, &slot->blocks[app ? app->block : 0], alive);
        workers += alive ? 1 : 0;
    }
    return workers;
}
